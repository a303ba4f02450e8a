/** Coming in: the page of those who are signed out, and where an invitation leads. */
export const signIn = {
  welcome: 'Welcome to the studio',
  needInvitation: 'You need an invitation to come in.',
  openLink: 'Open the link that an admin has sent you: it signs you in on this device.',
  sessionEnded: 'Your session may have ended. Answers that you gave are kept and sent when you are back.',
  invitation: 'Invitation',
  linkClosed: 'This link is closed',
  opensOnce: 'An invitation opens the studio once, and only for the time that its admin gave it.',
  invited: 'You are invited',
  answersTeach: 'Your answers teach a model to draw what people ask for.',
  signingIn: 'Signing in …',
  comeIn: 'Come in',
  deadLink: 'This link does not work any more',
  deadLinkWhy: 'It was used already, or its time is over.',
  askAgain: 'A link signs one person in, once, on one device. Please ask whoever sent it for a new one.',
  mayBeSignedIn: 'If you came in with it on this device before, you may still be signed in.',
  toStudio: 'To the studio',
}
