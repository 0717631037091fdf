/** What the page for a missing key says. Without a script: it works in whatever opens it. */

import { html } from 'hono/html';

/** For a person; nothing of it is a secret. */
export interface KeyPageAbout {
  /** As sentences call it. */
  readonly provider: string;
  /** Where this provider gives out keys. */
  readonly keysUrl: string;
  /** Where the keys go, in words. */
  readonly place: string;
  /** What to type where no page is open. */
  readonly command: string;
}

export interface StoredKey {
  readonly name: string;
  readonly keyId: string;
  /** What the provider says of it, in our words; null where it was not asked. */
  readonly detail: string | null;
}

type Markup = ReturnType<typeof html>;

function page(title: string, content: Markup): Markup {
  return html`<!doctype html>
    <html lang="en">
      <head>
        <meta charset="utf-8" />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <meta name="color-scheme" content="light dark" />
        <meta name="robots" content="noindex" />
        <title>${title} – Keypool</title>
        <link rel="icon" href="/dashboard/icon.svg" type="image/svg+xml" />
        <link rel="stylesheet" href="/dashboard/page.css" />
      </head>
      <body>
        <header class="top">
          <div class="bar">
            <span class="brand">
              <img src="/dashboard/icon.svg" alt="" width="28" height="28" />
              <span>Keypool</span>
            </span>
          </div>
        </header>
        <main id="main">${content}</main>
      </body>
    </html>`;
}

function clock(at: Date): string {
  return at.toTimeString().slice(0, 5);
}

/** @param problem why what was put in was not taken, as a sentence; null the first time */
export function formPage(about: KeyPageAbout, until: Date, problem: string | null): Markup {
  const { provider, keysUrl, place } = about;
  const notice =
    problem === null ? '' : html`<p class="notice" data-tone="bad" role="alert">${problem}</p>`;
  return page(
    `Add a ${provider} key`,
    html`<form class="card gate" method="post" autocomplete="off">
      <h1>Add a ${provider} key</h1>
      <p>A call from your assistant waits for it, and goes on when you save.</p>
      ${notice}
      <label for="key">API key</label>
      <textarea
        id="key"
        name="key"
        class="concealed"
        rows="3"
        required
        autofocus
        autocomplete="off"
        autocapitalize="off"
        autocorrect="off"
        spellcheck="false"
        aria-describedby="key-help"
      ></textarea>
      <p class="help" id="key-help">
        Several keys: one a line. ${provider} gives them out at
        <a href="${keysUrl}" rel="noreferrer noopener" target="_blank">${new URL(keysUrl).host}</a>.
      </p>
      <div class="actions end"><button type="submit" class="primary">Save and go on</button></div>
      <p class="help">
        Stored encrypted in ${place}. It is never shown again, and the assistant does not see it.
        This page works once, until ${clock(until)}.
      </p>
    </form>`,
  );
}

export function donePage(about: KeyPageAbout, stored: readonly StoredKey[]): Markup {
  const rows = stored.map(
    ({ name, keyId, detail }) =>
      html`<li><code>${name}</code> (…${keyId})${detail === null ? '' : `: ${detail}`}</li>`,
  );
  return page(
    'Saved',
    html`<section class="card gate">
      <h1>Saved</h1>
      <ul>
        ${rows}
      </ul>
      <p role="status">A call that still waits goes on by itself. You can close this page.</p>
      <p class="help">Stored encrypted in ${about.place}.</p>
    </section>`,
  );
}

export function closedPage(about: KeyPageAbout): Markup {
  return page(
    'This page is closed',
    html`<section class="card gate">
      <h1>This page is closed</h1>
      <p>It works once and for ten minutes, and not when a key came by another way.</p>
      <p>The next call that needs a key offers a new one.</p>
      <p class="help">In a terminal: <code>${about.command}</code></p>
    </section>`,
  );
}
