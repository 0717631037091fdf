/** Who else uses the accounts, as Prometheus reads it. */

import { Gauge, type Registry } from 'prom-client';
import type { Provider } from '../base/errors.ts';
import type { ProviderSnapshot } from '../pool/snapshot.ts';
import type { SharingView } from '../sharing/sharing-view.ts';

export interface SharingMetrics {
  /** Nobody was asked yet: null. */
  show(view: SharingView | null): void;
  showProvider(provider: Provider, state: ProviderSnapshot | undefined): void;
}

export function createSharingMetrics(registry: Registry): SharingMetrics {
  const registers = [registry];
  const up = new Gauge({
    name: 'keypool_sharing_up',
    help: 'Whether limits are shared with other processes: 1 yes, 0 not now; absent when it is off.',
    labelNames: ['over'],
    registers,
  });
  const processes = new Gauge({
    name: 'keypool_sharing_processes',
    help: 'Processes that use the accounts, by client, this one among them.',
    labelNames: ['client'],
    registers,
  });
  const inFlight = new Gauge({
    name: 'keypool_sharing_inflight_requests',
    help: 'Attempts in flight of all processes, by client.',
    labelNames: ['client'],
    registers,
  });
  const shares = new Gauge({
    name: 'keypool_sharing_slots',
    help: 'Slots that processes may use without asking, by client.',
    labelNames: ['client'],
    registers,
  });
  const elsewhere = new Gauge({
    name: 'keypool_elsewhere_requests',
    help: 'Attempts of other processes in flight, by provider and account.',
    labelNames: ['provider', 'account'],
    registers,
  });
  return {
    show: (view) => {
      for (const gauge of [up, processes, inFlight, shares, elsewhere]) gauge.reset();
      if (view === null || view.state === 'off') return;
      up.set({ over: view.over ?? '' }, view.state === 'up' ? 1 : 0);
      for (const each of view.processes) {
        const labels = { client: each.client ?? 'unknown' };
        processes.inc(labels);
        inFlight.inc(labels, each.inFlight);
        shares.inc(labels, each.share);
      }
    },
    showProvider: (provider, state) => {
      for (const { account, limits } of state?.accounts ?? []) {
        const sum = limits.reduce((total, each) => total + each.elsewhere, 0);
        if (limits.length > 0) elsewhere.set({ provider, account }, sum);
      }
    },
  };
}
