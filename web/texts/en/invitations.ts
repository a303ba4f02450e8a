/** Who may come in, and what they may do. */
export const invitations = {
  title: 'Invitations',
  about:
    'A link signs one person in on one device, for two weeks. Who has lost a browser or a password gets a new one.',
  name: 'Name',
  may: 'May',
  roles: { rater: 'label', admin: 'do everything' },
  invite: 'Invite',
  sendIt: 'Send this link; it is not shown again',
  nobody: 'Nobody has been invited yet.',

  withdraw: 'Withdraw',
  withdrawOf: (name: string) => `Withdraw ${name}`,
  askWithdraw: (name: string) => `Withdraw ${name}?`,
  askWithdrawOwn: 'Withdraw your own account?',
  withdrawOwn: 'Withdraw my account',
  linkEnds: 'The link does not work any more.',
  ownEnds: 'You are signed out everywhere at once, and come in again only if another admin invites you.',
  /** After a name. */
  isSignedOut: 'is signed out everywhere, and all links of that name end. The answers stay.',

  renew: 'New link',
  renewOf: (name: string) => `New link for ${name}`,
  askRenew: (name: string) => `A new link for ${name}?`,
  makeLink: 'Make a link',
  /** After a name. */
  comesIn:
    'comes in by it on one more device, with the same answers and rights. For an hour after that a new password can be set without the one before.',
  wasLost: 'A browser was lost: sign out all of them now',

  askGiveUp: 'Give up being an admin?',
  giveUp: 'Give it up',
  givingUp: 'You may only label from now on; another admin can give it back.',

  isAdmin: 'admin',
  isRater: 'rater',
  you: 'you',
  invited: (when: string) => `invited ${when}`,
  onlyAdmin: 'the only admin: make another one before this one goes',
  accepted: 'accepted',
  expired: 'expired',
  open: 'open',
  whatMay: (name: string) => `What ${name} may do`,
}
