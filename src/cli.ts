#!/usr/bin/env node
/**
 * What runs first, and all that a Node of ten years ago has to understand: no static import, no
 * syntax of later years. A client starts the first node in PATH, which may be any.
 */

// By default node opens its inspector, to everybody on this machine who may send the signal; from
// the first moment on, before a server says in its log that it does not.
process.on('SIGUSR1', () => {});

const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);

if (major > 20 || (major === 20 && minor >= 19)) {
  void import('./main.ts');
} else {
  process.stderr.write(
    `keypool-mcp: error: Node 20.19 or newer is needed, and ${process.execPath} is Node ${process.versions.node}
keypool-mcp: hint: install Node 22 or newer, or name one that is there by its full path: as "command" in the settings of the client, with ${process.argv[1]} as the first of "args"
`,
  );
  process.exitCode = 2;
}
