/** The Go distribution's own start-up code, which the build puts in. It defines the global Go. */
declare module "go:wasm_exec";
