/** Light, dark, or as the system has it. */

import { find, setAttribute, setText } from './elements.ts';

const SLOT = 'keypool-theme';
const THEMES = ['auto', 'light', 'dark'] as const;
type Theme = (typeof THEMES)[number];

const LOOKS: Readonly<Record<Theme, { sign: string; name: string; about: string }>> = {
  auto: { sign: '◐', name: 'Auto', about: 'As the system has it' },
  light: { sign: '○', name: 'Light', about: 'Always light' },
  dark: { sign: '●', name: 'Dark', about: 'Always dark' },
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
    const { sign, name, about } = LOOKS[theme];
    setText(find('theme-sign', HTMLElement), sign);
    setText(find('theme-name', HTMLElement), name);
    setAttribute(button, 'title', about);
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
