/** Light, dark, or as the system has it. */

import { find, setText } from './elements.ts';

const SLOT = 'keypool-theme';
const THEMES = ['auto', 'light', 'dark'] as const;
type Theme = (typeof THEMES)[number];

const LABELS: Readonly<Record<Theme, { short: string; long: string }>> = {
  auto: { short: '◐ Auto', long: 'Theme: as the system' },
  light: { short: '○ Light', long: 'Theme: light' },
  dark: { short: '● Dark', long: 'Theme: dark' },
};

function stored(): Theme {
  try {
    const found = localStorage.getItem(SLOT);
    return THEMES.find((theme) => theme === found) ?? 'auto';
  } catch {
    return 'auto';
  }
}

export function followTheme(onChange: () => void): void {
  const button = find('theme', HTMLButtonElement);
  let theme = stored();
  const show = (): void => {
    document.documentElement.dataset.theme = theme;
    setText(button, LABELS[theme].short);
    button.setAttribute('aria-label', LABELS[theme].long);
    onChange();
  };
  button.addEventListener('click', () => {
    theme = THEMES[(THEMES.indexOf(theme) + 1) % THEMES.length] ?? 'auto';
    try {
      localStorage.setItem(SLOT, theme);
    } catch {
      // storage is switched off: the choice lives as long as the page
    }
    show();
  });
  matchMedia('(prefers-color-scheme: dark)').addEventListener('change', onChange);
  show();
}
