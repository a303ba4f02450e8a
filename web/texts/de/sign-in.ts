import type { Texts } from '../en.ts'

export const signIn: Texts['signIn'] = {
  welcome: 'Willkommen im Studio',
  needAccount: 'Melden Sie sich mit Ihrem Passwort oder über einen Link an.',
  name: 'Ihr Name',
  password: 'Passwort',
  signIn: 'Anmelden',
  wrongPassword: 'Der Name oder das Passwort stimmt nicht.',
  tooOften:
    'Das waren zu viele falsche Versuche. Warten Sie bis zu einer Viertelstunde, oder bitten Sie einen Admin um einen Link.',
  noPassword: 'Kein Passwort, oder vergessen?',
  openLink:
    'Öffnen Sie einen Link, den Ihnen ein Admin geschickt hat: Er meldet Sie auf diesem Gerät an. Ist Ihrer verbraucht, bitten Sie um einen neuen.',
  onTheMachine: 'Der einzige Admin macht sich einen Link auf dem Rechner, auf dem das Studio läuft:',
  sessionEnded:
    'Möglicherweise ist Ihre Sitzung abgelaufen. Ihre Antworten bleiben gespeichert und werden gesendet, sobald Sie wieder da sind.',
  invitation: 'Einladung',
  linkClosed: 'Dieser Link ist geschlossen',
  opensOnce: 'Eine Einladung öffnet das Studio einmal und nur so lange, wie ihr Admin es bestimmt hat.',
  invited: 'Sie sind eingeladen',
  answersTeach: 'Mit Ihren Antworten lernt ein Modell zu zeichnen, worum man es bittet.',
  signingIn: 'Anmeldung läuft …',
  comeIn: 'Eintreten',
  deadLink: 'Dieser Link gilt nicht mehr',
  deadLinkWhy: 'Er wurde schon benutzt, oder seine Zeit ist abgelaufen.',
  askAgain:
    'Ein Link meldet eine Person an, einmal, auf einem Gerät. Bitten Sie um einen neuen, wo Sie diesen bekommen haben.',
  mayBeSignedIn: 'Falls Sie damit auf diesem Gerät schon einmal eingetreten sind, sind Sie vielleicht noch angemeldet.',
  toStudio: 'Zum Studio',
}
