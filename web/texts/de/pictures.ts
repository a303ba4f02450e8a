import type { Texts } from '../en.ts'

export const pictures: Texts['pictures'] = {
  aPicture: 'Ein Bild',
  image: 'Bild',
  didNotLoad: 'nicht geladen',
  thisDidNotLoad: (what) => `${what}: ließ sich nicht laden`,
  enlarge: (what) => `${what} vergrößern`,
  theImage: 'Bild',
  smaller: 'Kleiner',
  larger: 'Größer',
  comments: 'Kommentare',
  comment: 'Kommentar zu diesem Bild',
  addComment: 'Hinzufügen',
  takeBack: 'Zurücknehmen',
  undo: 'Rückgängig',
}
