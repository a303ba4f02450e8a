/** Line pictures of 24 × 24; each is decoration beside a word. */
const shapes = {
  home: 'M4 11.5 12 5l8 6.5M6.5 9.8V19h11V9.8M10 19v-5h4v5',
  label: 'M4 12.5 9 17.5 20 6.5',
  train: 'M4 18 9.5 11l4 4L20 6M20 6h-4.5M20 6v4.5',
  compare: 'M4 5h7v14H4zM13 5h7v14h-7z',
  runs: 'M4 6h16M4 12h16M4 18h16M9 4v16',
  reward: 'M12 4l2.4 5 5.6.7-4.1 3.9 1 5.5L12 16.5 7.1 19.1l1-5.5L4 9.7 9.6 9z',
  history: 'M6 7a2 2 0 1 0 0-.01M6 19a2 2 0 1 0 0-.01M18 13a2 2 0 1 0 0-.01M6 9v8M6 11c0 3 4 2 10 2',
  data: 'M5 15v4h14v-4M12 4v11M8 11l4 4 4-4',
  raters:
    'M9 11a3 3 0 1 0 0-6 3 3 0 0 0 0 6zM3.5 19c.5-3.5 2.5-5 5.5-5s5 1.500 5.500 5M15.500 5.300a3 3 0 0 1 0 5.400M17 14.300c2 .5 3.200 2 3.500 4.700',
  report: 'M6 4h8l4 4v12H6zM14 4v4h4M9 13h6M9 16.500h6',
  prompt: 'M5 6h14v10h-8l-4 3.500V16H5zM9 10h6M9 13h4',
  zoom: 'M10.500 17a6.500 6.500 0 1 0 0-13 6.500 6.500 0 0 0 0 13zM15.500 15.500 20 20M8 10.500h5M10.500 8v5',
  image: 'M4 5h16v14H4zM4 16l4.500-5 4 4 3-3 4.500 4.500M15.500 9.200a.8.8 0 1 0 0-.01',
  policy:
    'M12 4v3M12 17v3M4 12h3M17 12h3M12 8.500a3.500 3.500 0 1 0 .01 0M6.300 6.300l2.100 2.100M15.600 15.600l2.100 2.100M17.700 6.300l-2.100 2.100M8.400 15.600l-2.100 2.100',
  menu: 'M4 7h16M4 12h16M4 17h16',
  close: 'M6 6l12 12M18 6 6 18',
  offline: 'M4 9c5-4.500 11-4.500 16 0M7 12.500c3-2.700 7-2.700 10 0M10 16c1.200-1 2.800-1 4 0M5 4l14 16',
  undo: 'M8 5 4 9l4 4M4 9h10a5 5 0 0 1 0 10h-3',
  skip: 'M5 6l7 6-7 6zM13 6l7 6-7 6z',
  bad: 'M6 6l12 12M18 6 6 18',
  mark: 'M12 5v5M12 14v5M5 12h5M14 12h5M12 12v.01',
  help: 'M12 20a8 8 0 1 0 0-16 8 8 0 0 0 0 16zM9.700 9.700a2.300 2.300 0 1 1 3.300 2.100c-.7.4-1 .8-1 1.700M12 16.300v.01',
  sun: 'M12 8a4 4 0 1 0 .01 0M12 3v2M12 19v2M3 12h2M19 12h2M5.600 5.600 7 7M17 17l1.400 1.400M18.400 5.600 17 7M7 17l-1.400 1.400',
  moon: 'M19 14.500A7.500 7.500 0 0 1 9.500 5a7.500 7.500 0 1 0 9.500 9.500z',
  machine: 'M4 5h16v11H4zM9 20h6M12 16v4',
  stop: 'M7 7h10v10H7z',
  resume: 'M8 5.500v13l10-6.500z',
  arrow: 'M5 12h14M13 6l6 6-6 6',
  up: 'M12 19V6M6.500 11.500 12 6l5.500 5.500',
  down: 'M12 5v13M6.500 12.500 12 18l5.500-5.500',
  people: 'M12 12a3.500 3.500 0 1 0 0-7 3.500 3.500 0 0 0 0 7zM5 20c.6-4 3-6 7-6s6.400 2 7 6',
} as const
export type IconName = keyof typeof shapes

export function Icon({ name, size = 20 }: { name: IconName; size?: number }) {
  return (
    <svg
      width={size}
      height={size}
      viewBox="0 0 24 24"
      fill="none"
      stroke="currentColor"
      strokeWidth="1.8"
      strokeLinecap="round"
      strokeLinejoin="round"
      aria-hidden="true"
      focusable="false"
    >
      <path d={shapes[name]} />
    </svg>
  )
}
