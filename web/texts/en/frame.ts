/** The frame around every page, and what a page shows while its content is missing. */
import { english } from '../speech.ts'

const { counted, figure, form } = english

export const frame = {
  titled: (page: string) => `${page} · Attune studio`,
  skip: 'Skip to the content',
  menu: 'Menu',
  pages: 'Pages',
  places: {
    home: 'Home',
    label: 'Label',
    gallery: 'Gallery',
    playground: 'Playground',
    train: 'Train',
    runs: 'Runs',
    compare: 'Compare',
    rewards: 'Rewards',
    reports: 'Reports',
    history: 'History',
    models: 'Models',
    data: 'Data',
    raters: 'Raters',
  },
  runningOrWaiting: (jobs: number) => `${jobs} running or waiting`,
  progressOf: (run: string) => `Progress of ${run}`,
  colours: 'Colours',
  themes: { system: 'Auto', light: 'Light', dark: 'Dark' },
  language: 'Language',
  signOut: 'Sign out',
  offline: 'The studio does not answer; trying again.',
  answersWait: (waiting: number) =>
    `${counted(waiting, { one: 'answer', other: 'answers' })} ${form(waiting, { one: 'waits', other: 'wait' })} safely in this browser.`,
  noPage: 'There is no such page',
  noPageWhy: 'The address may be old, or the page may be for admins.',
  toFirstPage: 'To the first page',
  close: 'Close',
  cancel: 'Cancel',
  loading: 'Loading',
  earlier: 'Earlier',
  further: 'Further',
  shownOf: (from: number, to: number, all: number) => `${figure(from)} to ${figure(to)} of ${figure(all)}`,
  /** What a page that is empty waits for. */
  needed: {
    images: 'Draw the first images',
    labels: 'Label images',
    reward: 'Train a reward',
    policy: 'Train a policy',
    report: 'Write a report',
  },
}
