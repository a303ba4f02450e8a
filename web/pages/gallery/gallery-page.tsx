/** All images: found by what is known of them, looked at, chosen, judged, compared, handed out and archived. */
import { useEffect, useRef, useState, type KeyboardEvent } from 'react'
import { client } from '../../api.ts'
import { Empty, ErrorNotice, Skeleton } from '../../components/notice.tsx'
import { PageHead } from '../../components/page-head.tsx'
import { useAction } from '../../remote.ts'
import { setSearch, useSearch } from '../../router.ts'
import { useTexts } from '../../texts/texts.ts'
import '../../styles/gallery.css'
import { Compared } from './compared.tsx'
import { Filters } from './filters.tsx'
import { GalleryCell } from './gallery-cell.tsx'
import { readSearch, withChange } from './gallery-search.ts'
import { JudgeSelected } from './judge-selected.tsx'
import { noneSelected, reached, toggled } from './selection.ts'
import { useGallery } from './use-gallery.ts'
import { Viewer } from './viewer.tsx'

const [mostCompared, mostExported] = [4, 400]

export function GalleryPage() {
  const { frame, gallery: texts } = useTexts()
  const params = useSearch()
  const search = readSearch(params)
  const gallery = useGallery(search)
  const { images, page, amend } = gallery
  const ids = images.map(({ id }) => id)
  const [selection, setSelection] = useState(noneSelected)
  const [focused, setFocused] = useState(0)
  const [work, setWork] = useState<'judge' | 'compare'>()
  const grid = useRef<HTMLUListElement>(null)
  const change = (next: Readonly<Record<string, string>>) => setSearch(withChange(params, next))
  const look = (id: string | undefined, replace: boolean) => {
    const next = new URLSearchParams(params)
    if (id === undefined) next.delete('image')
    else next.set('image', id)
    setSearch(next, { replace })
  }
  const chosen = images.filter(({ id }) => selection.ids.has(id))
  const archive = useAction(async (archived: boolean) => {
    const wanted = new Set(chosen.filter((image) => image.archived !== archived).map(({ id }) => id))
    for (let from = 0; from < wanted.size; from += 1000) {
      await client.archive({ images: [...wanted].slice(from, from + 1000), archived })
    }
    setSelection(noneSelected)
    const isStill = search.archived === 'shown' || (search.archived === 'only') === archived
    amend((image) => (!wanted.has(image.id) ? image : isStill ? { ...image, archived } : undefined))
  })
  const judged = (id: string, answer: 'good' | 'bad', by: 1 | -1) =>
    amend((image) => (image.id === id ? { ...image, [answer]: image[answer] + by, judged: true } : image))

  const focus = (place: number) => {
    const to = Math.max(0, Math.min(ids.length - 1, place))
    setFocused(to)
    grid.current?.querySelectorAll<HTMLElement>('.gallery-open').item(to)?.focus()
    return to
  }
  const onKey = (event: KeyboardEvent<HTMLElement>) => {
    if (event.altKey || !(event.target instanceof HTMLElement)) return
    const columns = getComputedStyle(grid.current!).gridTemplateColumns.split(' ').length
    const steps: Readonly<Record<string, number>> = {
      ArrowLeft: -1,
      ArrowRight: 1,
      ArrowUp: -columns,
      ArrowDown: columns,
    }
    const step = steps[event.key]
    const key = event.key.toLowerCase()
    const isAll = (event.ctrlKey || event.metaKey) && key === 'a'
    if (step !== undefined) {
      const place = focus(focused + step)
      if (event.shiftKey)
        setSelection((now) => reached(now.ids.size === 0 ? { ...now, anchor: focused } : now, ids, place))
    } else if (key === 'home' || key === 'end') focus(key === 'home' ? 0 : ids.length - 1)
    else if (key === 'x') setSelection((now) => toggled(now, ids, focused))
    else if (isAll) setSelection({ ids: new Set(ids), anchor: 0 })
    else if (key === 'escape' && selection.ids.size > 0) setSelection(noneSelected)
    else return
    event.preventDefault()
  }
  const viewed = params.get('image')
  return (
    <>
      <PageHead title={frame.places.gallery}>
        {page === undefined ? texts.about : <span role="status">{texts.found(page.total)}</span>}
      </PageHead>
      <div className="stack">
        <details className="gallery-search" open={matchMedia('(min-width: 861px)').matches || undefined}>
          <summary>{texts.findAndOrder}</summary>
          <Filters search={search} choices={page?.choices} reward={page?.reward ?? null} change={change} />
        </details>
        <ErrorNotice error={gallery.error ?? archive.error} retry={gallery.reload} />
        {images.length > 0 ? (
          <ul ref={grid} className="gallery-grid" aria-label={texts.images} onKeyDown={onKey}>
            {images.map((image, place) => (
              <GalleryCell
                key={image.id}
                image={image}
                isSelected={selection.ids.has(image.id)}
                isFocused={place === Math.min(focused, images.length - 1)}
                focus={() => setFocused(place)}
                open={() => look(image.id, false)}
                select={(isRange) => setSelection((now) => (isRange ? reached : toggled)(now, ids, place))}
              />
            ))}
          </ul>
        ) : gallery.isBusy ? (
          <Skeleton heights={[180, 180, 180]} />
        ) : (
          gallery.error === undefined && (
            <NoImages isFiltered={Object.keys(search).length > 0} clear={() => setSearch(new URLSearchParams())} />
          )
        )}
        {images.length > 0 && <More key={images.length} isThere={typeof page?.next === 'string'} more={gallery.more} />}
      </div>
      {chosen.length > 0 && (
        <div className="gallery-bar" role="toolbar" aria-label={texts.chosen}>
          <strong>{texts.countChosen(chosen.length)}</strong>
          <button type="button" className="button small primary" onClick={() => setWork('judge')}>
            {texts.labelThese}
          </button>
          <button
            type="button"
            className="button small"
            disabled={chosen.length < 2 || chosen.length > mostCompared}
            title={texts.soMany(2, mostCompared)}
            onClick={() => setWork('compare')}
          >
            {texts.compareThese}
          </button>
          {chosen.length <= mostExported ? (
            <a className="button small" href={client.galleryExportUrl(chosen.map(({ id }) => id))} download>
              {texts.export}
            </a>
          ) : (
            <span className="small soft">{texts.mostExported(mostExported)}</span>
          )}
          {chosen.some(({ archived }) => !archived) && (
            <button type="button" className="button small" onClick={() => void archive.run(true)}>
              {texts.toArchive}
            </button>
          )}
          {chosen.some(({ archived }) => archived) && (
            <button type="button" className="button small" onClick={() => void archive.run(false)}>
              {texts.takeBack}
            </button>
          )}
          <button type="button" className="button small quiet" onClick={() => setSelection(noneSelected)}>
            {texts.clear}
          </button>
        </div>
      )}
      {work === 'judge' && <JudgeSelected images={chosen} judged={judged} close={() => setWork(undefined)} />}
      {work === 'compare' && <Compared images={chosen} close={() => setWork(undefined)} />}
      {viewed !== null && work === undefined && (
        <Viewer
          id={viewed}
          images={images}
          more={gallery.more}
          look={(id) => look(id, true)}
          close={() => {
            look(undefined, true)
            focus(Math.max(0, ids.indexOf(viewed)))
          }}
        />
      )}
    </>
  )
}

/** Asks for more when its place comes near; a button for those who do not scroll. */
function More({ isThere, more }: { isThere: boolean; more: () => void }) {
  const { gallery } = useTexts()
  const end = useRef<HTMLDivElement>(null)
  const latest = useRef(more)
  useEffect(() => {
    latest.current = more
  })
  useEffect(() => {
    const watch = new IntersectionObserver(
      (entries) => {
        if (entries.some(({ isIntersecting }) => isIntersecting)) latest.current()
      },
      { rootMargin: '800px' },
    )
    if (end.current !== null) watch.observe(end.current)
    return () => watch.disconnect()
  }, [])
  if (!isThere) return null
  return (
    <div ref={end} className="gallery-more">
      <button type="button" className="button" onClick={more}>
        {gallery.showMore}
      </button>
    </div>
  )
}

function NoImages({ isFiltered, clear }: { isFiltered: boolean; clear: () => void }) {
  const { gallery } = useTexts()
  if (!isFiltered) {
    return (
      <Empty icon="image" title={gallery.noImages}>
        {gallery.noImagesHow}
      </Empty>
    )
  }
  return (
    <Empty
      icon="image"
      title={gallery.noneLikeThat}
      action={
        <button type="button" className="button" onClick={clear}>
          {gallery.showAll}
        </button>
      }
    >
      {gallery.everyCondition}
    </Empty>
  )
}
