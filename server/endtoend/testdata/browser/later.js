import "/app/clock.js";
import "/app/worker.js";
