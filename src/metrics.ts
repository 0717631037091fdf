/**
 * One prom-client Registry with named instruments (interface.md, Metrics). Imported only by who
 * serves `/metrics`: the stdio server has no reader for them.
 */
export {};
