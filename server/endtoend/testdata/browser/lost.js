import "/app/nodatabase.js";
import "/app/worker.js";
