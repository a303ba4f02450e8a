/** Handing a page on as a file, or by a link. */
export const sharing = {
  download: 'Download',
  share: 'Share',
  byLink: 'Share by a link',
  what: 'Whoever has the link reads this one page, without an account, and nothing else of the studio. You can withdraw it at any time.',
  thisMachine: 'This studio is for this machine alone, and so are its links: a file can be sent to others.',
  make: 'Make a link',
  toldOnce: 'The link: it is told only now',
  none: 'There is no link to it.',
  links: 'Links',
  madeBy: (name: string, when: string) => `made by ${name}, ${when}`,
  withdraw: 'Withdraw',
}
