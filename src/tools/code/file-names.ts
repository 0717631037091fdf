/** The file that a block belongs to, where the answer names one. */

const EXTENSIONS = new Set(
  `astro bash bat c cc cfg cjs clj cmake cmd cnf conf cpp cs csproj css csv cts cxx dart diff
  dockerfile edn ejs elm env erb erl ex exs fish fs fsx gemspec gitignore go gql gradle graphql groovy
  h haml hbs hcl hh hpp hrl hs htm html hxx ini ipynb java jinja jl js json json5 jsonc jsx kt kts
  less lock lua m make mako md mdx mjs mk ml mli mm mts nim nix patch pas php pl plist pm po pp prisma
  proto ps1 psm1 pug py pyi pyx qml r rake rb rego rkt rs rst sass sbt scala scm scss sh sln sol sql
  svelte svg swift tcl tex tf tfvars toml ts tsv tsx txt v vb vhd vim vue wat wsdl xhtml xml xsd xsl
  yaml yml zig zsh`.split(/\s+/),
);
const WITHOUT_EXTENSION =
  /^(?:Dockerfile|Containerfile|Makefile|GNUmakefile|Rakefile|Gemfile|Procfile|Vagrantfile|Jenkinsfile|Justfile|LICENSE|CODEOWNERS|BUILD|WORKSPACE|\.[a-z][a-z0-9_.-]{1,40})$/;
/** Names of things, not of files. */
const PRODUCT =
  /^(?:Node|Vue|Next|Nuxt|React|Express|Three|D3|Ember|Backbone|Chart|Discord|Socket)\.js$/i;
const PATH = /^(?:[\w@.~()[\]-]{1,80}[/\\]){0,20}[\w@.()[\]+-]{1,100}$/;
const MAX_LINE = 200;

export function isFileName(text: string): boolean {
  if (text.length > MAX_LINE || !PATH.test(text) || /\.\.$/.test(text)) return false;
  const name = text.slice(Math.max(text.lastIndexOf('/'), text.lastIndexOf('\\')) + 1);
  if (WITHOUT_EXTENSION.test(name)) return true;
  const extension = name.slice(name.lastIndexOf('.') + 1);
  return (
    name.lastIndexOf('.') > 0 && EXTENSIONS.has(extension.toLowerCase()) && !PRODUCT.test(text)
  );
}

export interface NamedFile {
  readonly file: string;
  /** The line says nothing else. */
  readonly isAlone: boolean;
}

/** Markdown around a name, and the words in front of one. */
const DECORATION =
  /^(?:#{1,6}|[-*+>]|\d{1,3}[.)])\s{1,8}|^(?:file(?:name)?|path)\b\s{0,4}:?\s{0,4}|[*_`"':()]/gi;
const QUOTED = /(?:`|\*\*)([^`*]{1,200})(?:`|\*\*)/g;

/** The file that a line above a block names; null when it names none, or several. */
export function fileNamedIn(line: string): NamedFile | null {
  const text = line.trim();
  if (text.length > MAX_LINE) return null;
  let bare = text;
  // Markers come in layers: `### 1. **src/a.ts**`.
  for (let layer = 0; layer < 4; layer++) bare = bare.replace(DECORATION, '').trim();
  if (isFileName(bare)) return { file: bare, isAlone: true };
  const names = [...text.matchAll(QUOTED)].map(([, name = '']) => name.trim()).filter(isFileName);
  const [file] = names;
  return file === undefined || new Set(names).size > 1 ? null : { file, isAlone: false };
}

const COMMENT =
  /^\s{0,20}(?:\/\/|#|--|;|\/\*|<!--|%)\s{0,8}(?:file(?:name)?:\s{0,4})?([^\s*]{1,200})\s{0,8}(?:\*\/|-->)?\s{0,8}$/i;

/** The file that a block's first line names in a comment. */
export function fileInComment(line: string): string | null {
  const name = line.length > MAX_LINE ? undefined : COMMENT.exec(line)?.[1];
  return name !== undefined && isFileName(name) ? name : null;
}
