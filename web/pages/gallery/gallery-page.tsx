/** All images: found by what is known of them, looked at, chosen, judged, compared, handed out and archived. */
import { useEffect, useRef, useState, type KeyboardEvent } from 'react'
import { client } from '../../api.ts'
import { Empty, ErrorNotice, Skeleton } from '../../components/notice.tsx'
import { PageHead } from '../../components/page-head.tsx'
import { plural } from '../../format.ts'
import { useAction } from '../../remote.ts'
import { setSearch, useSearch } from '../../router.ts'
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
      <PageHead title="Gallery">
        {page === undefined ? (
          'All images, and what people and rewards say of them.'
        ) : (
          <span role="status">{plural(page.total, 'image')}</span>
        )}
      </PageHead>
      <div className="stack">
        <details className="gallery-search" open={matchMedia('(min-width: 861px)').matches || undefined}>
          <summary>Find and order</summary>
          <Filters search={search} choices={page?.choices} reward={page?.reward ?? null} change={change} />
        </details>
        <ErrorNotice error={gallery.error ?? archive.error} retry={gallery.reload} />
        {images.length > 0 ? (
          <ul ref={grid} className="gallery-grid" aria-label="Images" onKeyDown={onKey}>
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
        <div className="gallery-bar" role="toolbar" aria-label="Chosen images">
          <strong>{plural(chosen.length, 'image')} chosen</strong>
          <button type="button" className="button small primary" onClick={() => setWork('judge')}>
            Label these
          </button>
          <button
            type="button"
            className="button small"
            disabled={chosen.length < 2 || chosen.length > mostCompared}
            title={`2 to ${mostCompared} images`}
            onClick={() => setWork('compare')}
          >
            Compare these
          </button>
          {chosen.length <= mostExported ? (
            <a className="button small" href={client.galleryExportUrl(chosen.map(({ id }) => id))} download>
              Export
            </a>
          ) : (
            <span className="small soft">at most {mostExported} can be exported at once</span>
          )}
          {chosen.some(({ archived }) => !archived) && (
            <button type="button" className="button small" onClick={() => void archive.run(true)}>
              Archive
            </button>
          )}
          {chosen.some(({ archived }) => archived) && (
            <button type="button" className="button small" onClick={() => void archive.run(false)}>
              Take back
            </button>
          )}
          <button type="button" className="button small quiet" onClick={() => setSelection(noneSelected)}>
            Clear
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
        Show more
      </button>
    </div>
  )
}

function NoImages({ isFiltered, clear }: { isFiltered: boolean; clear: () => void }) {
  if (!isFiltered) {
    return (
      <Empty icon="image" title="There are no images yet">
        Let the model draw some, or upload your own.
      </Empty>
    )
  }
  return (
    <Empty
      icon="image"
      title="No image is like that"
      action={
        <button type="button" className="button" onClick={clear}>
          Show all images
        </button>
      }
    >
      Every condition must hold.
    </Empty>
  )
}
