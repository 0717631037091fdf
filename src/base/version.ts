import manifest from '../../package.json' with { type: 'json' };

export const NAME = 'keypool-mcp';
export const VERSION: string = manifest.version;
