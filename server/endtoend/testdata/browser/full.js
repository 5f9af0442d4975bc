import "/app/fulldisk.js";
import "/app/worker.js";
