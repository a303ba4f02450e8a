/** The page of one's own account. */
export const account = {
  title: 'Your account',
  about: (name: string, isAdmin: boolean) => `${name}, ${isAdmin ? 'admin' : 'rater'}`,
  password: 'Password',
  whyPassword: 'With a password you come in again from any browser, without a link.',
  none: 'You have none yet.',
  changed: (when: string) => `Set ${when}.`,
  current: 'Password until now',
  fresh: 'New password',
  rule: '10 characters or more; several words are easy to remember.',
  show: 'Show what I type',
  set: 'Set the password',
  change: 'Change the password',
  othersEnd: 'You are signed out in all other browsers then.',
  saved: 'Saved. All other browsers are signed out.',
  wrongCurrent: 'The password until now is not right.',
  local: 'This studio runs for this machine only: it asks for no accounts.',
}
