/** Pictures and their enlargement, wherever they stand. */
export const pictures = {
  aPicture: 'An image',
  image: 'Image',
  didNotLoad: 'did not load',
  thisDidNotLoad: (what: string) => `${what}: it did not load`,
  enlarge: (what: string) => `Enlarge ${what}`,
  theImage: 'the image',
  smaller: 'Smaller',
  larger: 'Larger',
  comments: 'Comments',
  comment: 'Comment on this image',
  addComment: 'Add',
  takeBack: 'Take back',
  undo: 'Undo',
}
