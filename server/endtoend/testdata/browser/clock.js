// The clock of a tablet that lay in a drawer for fifteen days.
const now = Date.now;
Date.now = () => now() + 15 * 24 * 3600 * 1000;
