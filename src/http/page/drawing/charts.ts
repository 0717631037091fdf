/** Small charts. Colours come from the style sheet, so that they follow the theme. */

import uPlot from 'uplot';
import { create, setAttribute, setText } from './elements.ts';
import { curveOf } from './series.ts';

/** As long as the server remembers. */
const WINDOW_S = 300;

type Columns = readonly (readonly number[])[];

interface ChartOptions {
  readonly height: number;
  /** Custom properties of the style sheet, one for each column. */
  readonly colours: readonly string[];
  readonly axes: boolean;
}

function colour(name: string): string {
  return getComputedStyle(document.documentElement).getPropertyValue(name).trim();
}

const clock = new Intl.DateTimeFormat(undefined, {
  hour: '2-digit',
  minute: '2-digit',
  hourCycle: 'h23',
});

function axes(isShown: boolean): uPlot.Axis[] {
  if (!isShown) return [{ show: false }, { show: false }];
  const look = {
    stroke: () => colour('--muted'),
    grid: { stroke: () => colour('--line'), width: 1 },
    ticks: { show: false },
    font: '12px system-ui, sans-serif',
  };
  return [
    {
      ...look,
      size: 26,
      incrs: [60],
      grid: { show: false },
      values: (_plot, splits) => splits.map((at) => clock.format(at * 1_000)),
    },
    { ...look, size: 44, space: 34 },
  ];
}

export class Chart {
  readonly #plot: uPlot;
  readonly #place: HTMLElement;
  readonly #height: number;
  readonly #nothing = create('p', { class: 'nothing', hidden: true });

  constructor(place: HTMLElement, options: ChartOptions) {
    this.#place = place;
    this.#height = options.height;
    const series = options.colours.map(
      (name): uPlot.Series => ({
        stroke: () => colour(name),
        fill: () => `color-mix(in srgb, ${colour(name)} 14%, transparent)`,
        width: 1.6,
        points: { show: false },
      }),
    );
    this.#plot = new uPlot(
      {
        width: Math.max(60, place.clientWidth),
        height: options.height,
        padding: options.axes ? [8, 20, 0, 0] : [2, 0, 2, 0],
        cursor: { show: false },
        legend: { show: false },
        scales: {
          x: { range: (_plot, _min, max) => [max - WINDOW_S, max] },
          y: { range: (_plot, _min, max) => [0, Math.max(1, max * 1.15)] },
        },
        axes: axes(options.axes),
        series: [{}, ...series],
      },
      [[], ...options.colours.map(() => [])],
      place,
    );
    place.append(this.#nothing);
    new ResizeObserver(() => this.#fit()).observe(place);
  }

  /**
   * @param label what the chart says, for those who do not see it
   * @param nothing what it says instead where there is no curve to draw
   */
  draw(columns: Columns, label: string, nothing: string): void {
    const [at = [], ...rest] = columns;
    const curves = rest.map(curveOf);
    const isEmpty = curves.flat().every((value) => value === null);
    setText(this.#nothing, nothing);
    setAttribute(this.#nothing, 'hidden', !isEmpty);
    setAttribute(this.#place, 'role', 'img');
    setAttribute(this.#place, 'aria-label', isEmpty ? nothing : label);
    this.#plot.setData([[...at], ...curves]);
  }

  redraw(): void {
    this.#plot.redraw();
  }

  #fit(): void {
    const width = this.#place.clientWidth;
    if (width > 0 && width !== this.#plot.width) {
      this.#plot.setSize({ width, height: this.#height });
    }
  }
}
