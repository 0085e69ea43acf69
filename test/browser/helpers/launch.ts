import { type Browser, chromium } from 'playwright-core';

/** `DJR_CHROMIUM` names another one. */
const executablePath = process.env.DJR_CHROMIUM ?? '/usr/bin/chromium';

/**
 * What Playwright switches off itself, as far as it is of use here: of several lists on a command line Chromium reads the last one alone
 * (`chromiumSwitches.ts` of Playwright says why each is in it).
 */
const BY_PLAYWRIGHT = [
  'AvoidUnnecessaryBeforeUnloadCheckSync',
  'DestroyProfileOnBrowserClose',
  'HttpsUpgrades',
  'HttpsFirstBalancedModeAutoEnable',
  'LensOverlay',
  'MediaRouter',
  'PaintHolding',
  'ThirdPartyStoragePartitioning',
  'AvoidCorsURLLoaderRestartOnRedirect',
  'OptimizationHints',
  'NetworkTimeServiceQuerying',
  'AimEnabled',
  'PreconnectToSearch',
];

/** Chromium's own toolbar and omnibox are pages, too, with a process for each window: half of the processor time of a test's page. */
const OWN_PAGES = [
  'InitialWebUI',
  'WebUIToolbarProcessOverheadExperiment',
  'PreloadTopChromeWebUI',
  'WebUIOmniboxPopup',
  'WebUIOmniboxAimPopup',
];

const args = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
  `--disable-features=${[...BY_PLAYWRIGHT, ...OWN_PAGES].join(',')}`,
];

export const launchChromium = (): Promise<Browser> =>
  chromium.launch({
    executablePath,
    args,
    // Pages that the back button finds as they were left are part of what is tested.
    ignoreDefaultArgs: ['--disable-back-forward-cache'],
  });
