import pg from 'pg';
import type { Browser, BrowserContext, Page } from 'playwright-core';
import { launchChromium } from '../browser/helpers/launch.js';
import { Front } from './front.js';
import { pause, type Random } from './random.js';
import { type Receiver, roomOf, type Stored } from './verdict.js';

interface Taken {
  got: number[];
  resets: string[];
  lastEventId: string;
}

/** One tab with the browser client: its page is loaded anew now and then, and goes on from the id that it had. */
export class Tab implements Receiver {
  readonly user: string;
  readonly name: string;
  since = Number.POSITIVE_INFINITY;
  heard = 0;
  /** How often each page of this tab got each event. */
  readonly lives: Map<number, number>[] = [];
  readonly resets: string[] = [];
  readonly #shares: boolean;
  readonly #worker: boolean;
  readonly #total = new Map<number, number>();
  #page: Page | undefined;
  #lastEventId = '';

  /** @param worker - a service worker stands between the page and the network, and passes all on. */
  constructor(user: string, shares: boolean, worker: boolean) {
    this.user = user;
    this.#shares = shares;
    this.#worker = worker;
    this.name = `a tab of ${user}${shares ? ', sharing' : ''}${worker ? ', behind a service worker' : ''}`;
  }

  has({ n }: Pick<Stored, 'id' | 'n'>): boolean {
    return this.#total.has(n);
  }

  /** A page does not see an event's id: a replay is the same number once more. */
  lacking(owed: readonly Stored[]): Stored[] {
    const left = new Map(this.#total);
    return owed.filter(({ n }) => {
      const count = left.get(n) ?? 0;
      left.set(n, count - 1);
      return count <= 0;
    });
  }

  strangers(rows: { byNumber: ReadonlyMap<number, readonly Stored[]> }): [string, Stored | undefined][] {
    return [...this.#total.keys()].map((n) => [`number ${n}`, rows.byNumber.get(n)?.[0]]);
  }

  get deliveries(): number {
    let sum = 0;
    for (const count of this.#total.values()) sum += count;
    return sum;
  }

  /** Loads the page anew in the same tab, or in a new one. */
  async load(context: BrowserContext, origin: string, position: () => Promise<string>, anew: boolean): Promise<void> {
    await this.take();
    const query = new URLSearchParams({ user: this.user, topic: roomOf(this.user), share: this.#shares ? '1' : '0' });
    if (this.#worker) query.set('worker', '1');
    if (this.#lastEventId) query.set('lastEventId', this.#lastEventId);
    else {
      query.set('since', await position());
      this.since = performance.now();
    }
    if (anew) {
      await this.#page?.close();
      this.#page = undefined;
    }
    this.#page ??= await context.newPage();
    this.lives.push(new Map());
    await this.#page.goto(`${origin}/page?${query}`);
  }

  async take(): Promise<void> {
    if (!this.#page) return;
    const { got, resets, lastEventId } = await this.#page.evaluate(() =>
      (window as unknown as { take(): Taken }).take(),
    );
    this.resets.push(...resets);
    this.#lastEventId = lastEventId;
    if (got.length > 0) this.heard = performance.now();
    const life = this.lives.at(-1)!;
    for (const n of got) {
      life.set(n, (life.get(n) ?? 0) + 1);
      this.#total.set(n, (this.#total.get(n) ?? 0) + 1);
    }
  }

  async fire(name: 'freeze' | 'resume' | 'online'): Promise<void> {
    await this.#page?.evaluate((event) => {
      (event === 'online' ? window : document).dispatchEvent(new Event(event));
    }, name);
  }

  /** Shows a dialog for so long: no code of the page runs, and the other tabs hear nothing of it. */
  async suspend(milliseconds: number): Promise<void> {
    this.#page?.once('dialog', async (dialog) => {
      await pause(milliseconds);
      await dialog.accept();
    });
    await this.#page?.evaluate(() => confirm('Sure?'));
  }
}

/** Tabs of real browsers: profiles of three tabs of one user, two of which share a stream. Every other profile has a service worker. */
export class Browsers {
  readonly tabs: Tab[];
  readonly counts = new Map<string, number>();
  readonly #database: string;
  readonly #random: Random;
  readonly #front: Front;
  #browser: Browser | undefined;
  #working: Promise<unknown> = Promise.resolve();
  #calm = false;
  #stopped = false;

  constructor(count: number, users: readonly string[], database: string, random: Random, ports: () => number[]) {
    this.#database = database;
    this.#random = random;
    this.#front = new Front(ports, random.fork());
    this.tabs = Array.from({ length: count }, (_, i) => {
      const profile = Math.floor(i / 3);
      return new Tab(users[profile % users.length]!, i % 3 !== 2, profile % 2 === 1);
    });
  }

  async start(): Promise<void> {
    if (this.tabs.length === 0) return;
    await this.#front.start();
    const browser = await launchChromium();
    this.#browser = browser;
    const profiles: Promise<void>[] = [];
    for (let i = 0; i < this.tabs.length; i += 3) {
      const tabs = this.tabs.slice(i, i + 3);
      const random = this.#random.fork();
      const context = await browser.newContext();
      // tsx names the functions that it compiles by this helper, which a page does not have.
      await context.addInitScript('globalThis.__name = (target) => target');
      for (const tab of tabs) await tab.load(context, this.#front.origin, () => this.#position(), true);
      profiles.push(this.#run(context, tabs, random));
    }
    this.#working = Promise.all(profiles);
    // It is looked at when all ends: until then a failure must not be an unhandled one.
    this.#working.catch(() => {});
  }

  /** No more harm. */
  calm(): void {
    this.#calm = true;
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    try {
      await this.#working;
    } finally {
      await this.#browser?.close();
      if (this.#browser) await this.#front.stop();
    }
  }

  async #run(context: BrowserContext, tabs: readonly Tab[], random: Random): Promise<void> {
    const { origin } = this.#front;
    const position = () => this.#position();
    const harm: [string, () => Promise<unknown>][] = [
      [
        'browser offline and online',
        async () => {
          await context.setOffline(true);
          await pause(random.between(100, 3000));
          await context.setOffline(false);
        },
      ],
      ['page loaded again', () => random.pick(tabs).load(context, origin, position, false)],
      ['tab closed and opened', () => random.pick(tabs).load(context, origin, position, true)],
      [
        'tab frozen and resumed',
        async () => {
          const tab = random.pick(tabs);
          await tab.fire('freeze');
          await pause(random.between(100, 3000));
          await tab.fire('resume');
        },
      ],
      // Longer than the others wait before one of them takes over. One of the two that share leads.
      ['tab suspended by a dialog', () => random.pick(tabs.slice(0, 2)).suspend(random.between(1000, 7000))],
      ['streams of browsers cut', async () => this.#front.cut()],
      ['streams of browsers swallowed', async () => this.#front.freeze()],
    ];
    // Each once, in a random order, then any: a short run has nearly every kind.
    const first = harm
      .map((act) => ({ act, at: random.next() }))
      .sort((a, b) => a.at - b.at)
      .map(({ act }) => act);
    let hurried = false;
    while (!this.#stopped) {
      await pause(random.between(200, 2500));
      for (const tab of tabs) await tab.take();
      if (!this.#calm) {
        const [name, act] = first.pop() ?? random.pick(harm);
        await act();
        this.counts.set(name, (this.counts.get(name) ?? 0) + 1);
      } else if (!hurried) {
        hurried = true;
        for (const tab of tabs) await tab.fire('online');
      }
    }
  }

  /** Where a page starts whose state was read now; the server may be away. */
  async #position(): Promise<string> {
    for (;;) {
      const client = new pg.Client(this.#database);
      client.on('error', () => {});
      try {
        await client.connect();
        return (await client.query('select djr.position() as position')).rows[0].position;
      } catch {
        await pause(200);
      } finally {
        await client.end().catch(() => {});
      }
    }
  }
}
