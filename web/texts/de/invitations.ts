import type { Texts } from '../en.ts'

export const invitations: Texts['invitations'] = {
  title: 'Einladungen',
  about:
    'Ein Link meldet eine Person auf einem Gerät an und gilt zwei Wochen. Wer Browser oder Passwort verloren hat, bekommt einen neuen.',
  name: 'Name der Person',
  may: 'Darf',
  roles: { rater: 'bewerten', admin: 'alles' },
  invite: 'Einladen',
  sendIt: 'Verschicken Sie diesen Link; er wird nicht noch einmal gezeigt',
  nobody: 'Noch ist niemand eingeladen.',

  withdraw: 'Entziehen',
  withdrawOf: (name) => `${name} den Zugang entziehen`,
  askWithdraw: (name) => `${name} den Zugang entziehen?`,
  askWithdrawOwn: 'Sich selbst den Zugang entziehen?',
  withdrawOwn: 'Meinen Zugang entziehen',
  linkEnds: 'Der Link gilt dann nicht mehr.',
  ownEnds: 'Sie werden sofort überall abgemeldet und kommen nur wieder herein, wenn ein anderer Admin Sie einlädt.',
  isSignedOut: 'wird überall abgemeldet, und alle Links auf diesen Namen enden. Die Antworten bleiben.',

  renew: 'Neuer Link',
  renewOf: (name) => `Neuer Link für ${name}`,
  askRenew: (name) => `Ein neuer Link für ${name}?`,
  makeLink: 'Link anlegen',
  comesIn:
    'kommt damit auf einem weiteren Gerät herein, mit denselben Antworten und Rechten. Eine Stunde lang lässt sich dann ein neues Passwort setzen, ohne das bisherige zu kennen.',
  wasLost: 'Ein Browser ging verloren: jetzt überall abmelden',

  askGiveUp: 'Nicht mehr Admin sein?',
  giveUp: 'Aufgeben',
  givingUp: 'Von jetzt an dürfen Sie nur noch bewerten; ein anderer Admin kann es Ihnen zurückgeben.',

  isAdmin: 'mit allen Rechten',
  isRater: 'bewertet Bilder',
  you: 'Sie selbst',
  invited: (when) => `eingeladen ${when}`,
  onlyAdmin: 'der einzige Admin: Erst muss jemand anderes Admin sein, bevor dieser geht',
  accepted: 'angenommen',
  expired: 'abgelaufen',
  open: 'offen',
  whatMay: (name) => `Was ${name} darf`,
}
