import { plainReward } from './plain-reward.ts'

/** How bright an image is: the mean of its luma (ITU-R BT.601), from 0 for black to 1 for white. */
export const brightness = plainReward({
  name: 'brightness',
  version: 1,
  range: [0, 1],
  isSmooth: true,
  score(pixels) {
    const [red, green, blue] = [0, 1, 2].map((channel) => pixels.select(1, channel).flatten(1).mean(1))
    return red.mul(0.299).add(green.mul(0.587)).add(blue.mul(0.114)).add(1).div(2)
  },
})
