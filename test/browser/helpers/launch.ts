import { type Browser, chromium } from 'playwright-core';

/** `DJR_CHROMIUM` names another one. */
const executablePath = process.env.DJR_CHROMIUM ?? '/usr/bin/chromium';

const args = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
];

export const launchChromium = (): Promise<Browser> =>
  chromium.launch({
    executablePath,
    args,
    // Pages that the back button finds as they were left are part of what is tested.
    ignoreDefaultArgs: ['--disable-back-forward-cache'],
  });
