"""The strategies that resolve conflicts: they pick the series and ask resolvers about each conflict.

They make a candidate only if every conflict is resolved and every resolved file passes the checks.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from bot.analysis.file_checks import find_faults
from bot.git.conflict_markers import Region, join_parts
from bot.git.objects import DIRECTORY, SUBMODULE, SYMLINK, Entry
from bot.git.trees import changed_files, changed_tree, find_entry
from bot.git.trial_pick import UnmergedPick
from bot.git.unmerged_paths import UnmergedFile
from bot.models import Certainty, ConflictKind, Fidelity, Method, Resolution, Sha
from bot.pick.attempt import Attempt
from bot.pick.resolver import (
    ConflictedFile,
    FileResolution,
    FileResolver,
    RateConfidence,
    RegionResolution,
    RegionResolver,
    load_conflict,
)
from bot.pick.series import pick_series
from bot.pick.strategy import NotApplicable, Picked
from bot.text.markdown import count

# Links, submodules and clashes of file kinds have no content to resolve.
_NO_CONTENT = (ConflictKind.SUBMODULE, ConflictKind.OTHER)


class ResolveConflicts:
    """Asks resolvers of files first, then resolvers of regions, in order, until one resolves the conflict."""

    def __init__(
        self,
        name: str,
        *,
        files: Sequence[FileResolver] = (),
        regions: Sequence[RegionResolver] = (),
        rate_confidence: RateConfidence | None = None,
    ) -> None:
        self.name = name
        self.files = files
        self.regions = regions
        self.rate_confidence = rate_confidence

    def apply(self, attempt: Attempt) -> Picked | NotApplicable:
        """Pick the series and resolve its conflicts. Not applicable at the first conflict that stays."""
        work = _Work(attempt, self)
        series = pick_series(attempt, work.resolve)
        if isinstance(series, UnmergedPick):
            return NotApplicable(work.refusal, series)
        if not series:
            return NotApplicable("nothing of it would be left: each part that conflicts would be left out")
        return Picked(
            commits=series,
            method=Method.RESOLVED,
            fidelity=Fidelity.ADAPTED,
            detail=_summarize(work.resolutions),
            certainty=max((resolution.certainty for resolution in work.resolutions), key=list(Certainty).index),
            resolutions=tuple(work.resolutions),
        )


def _summarize(resolutions: Sequence[Resolution]) -> str:
    ways = ", ".join(dict.fromkeys(resolution.how for resolution in resolutions))
    return f"resolved {count(len(resolutions), 'conflict')}: {ways}"


class _Work:
    """The resolutions of one series so far, and the reason if the series was refused."""

    def __init__(self, attempt: Attempt, resolvers: ResolveConflicts) -> None:
        self.attempt = attempt
        self.resolvers = resolvers
        self.resolutions: list[Resolution] = []
        self.refusal = ""

    def resolve(self, pick: UnmergedPick) -> Sha | None:
        """Return the tree with every conflict of a pick resolved. If one stays, set `refusal` and return None."""
        if not pick.files:
            self.refusal = "the conflict is in how directories were renamed"
            return None
        files = self._load(pick)
        # Generated files are rewritten last, because their tools read the other files.
        generated_files = [file for file in files if self._is_generated(file)]
        resolutions: list[tuple[ConflictedFile, FileResolution]] = []
        for file in (file for file in files if file not in generated_files):
            resolution = self._resolve_file(file)
            if resolution is None:
                self.refusal = f"{file.path} ({file.unmerged_file.kind.value}) is left in conflict"
                return None
            resolutions.append((file, resolution))
        if resolutions and not self._accept(resolutions):
            self.refusal = "there are answers, but people would too rarely have committed them"
            return None
        # A conflicting path without a resolution stays as on the target.
        contents = {file.path: file.ours for file in files}
        for _file, resolution in resolutions:
            contents |= resolution.changes
        tree = self._checked_tree(pick, contents)
        return self._regenerate(tree, generated_files) if tree is not None and generated_files else tree

    def _load(self, pick: UnmergedPick) -> list[ConflictedFile]:
        parts = self.attempt.split(pick)
        return [load_conflict(self.attempt.repository, pick, file, parts.get(file.path, ())) for file in pick.files]

    def _is_generated(self, file: ConflictedFile) -> bool:
        writer = self.attempt.regenerator
        return writer is not None and file.unmerged_file.kind not in _NO_CONTENT and writer.covers(file.path)

    def _regenerate(self, tree: Sha, files: Sequence[ConflictedFile]) -> Sha | None:
        """Let tools rewrite the generated files of a resolved tree. Their result is only proposed."""
        repository, writer = self.attempt.repository, self.attempt.regenerator
        assert writer is not None  # noqa: S101 -- for the type checker: no file is generated without one
        output = writer.regenerate(repository, tree, [file.path for file in files])
        if output.problem:
            self.refusal = f"{files[0].path} was not written again: {output.problem}"
            return None
        for file in files:
            result = output.contents.get(file.path, file.ours)
            resolution = FileResolution({file.path: result}, Certainty.PROPOSED, output.explanation)
            self.resolutions.append(_whole_file(file, resolution, self.resolvers.name))
        return changed_files(repository, tree, output.contents)

    def _accept(self, file_resolutions: Sequence[tuple[ConflictedFile, FileResolution]]) -> bool:
        """Keep the resolutions, unless their common certainty is too low to propose them."""
        rate_confidence = self.resolvers.rate_confidence
        certainty = rate_confidence(file_resolutions) if rate_confidence else None
        if rate_confidence and certainty is None:
            return False
        resolutions = [
            resolution
            for file, file_resolution in file_resolutions
            for resolution in _region_resolutions(file, file_resolution, self.resolvers.name)
        ]
        self.resolutions += (
            [replace(resolution, certainty=certainty) for resolution in resolutions] if certainty else resolutions
        )
        return True

    def _resolve_file(self, file: ConflictedFile) -> FileResolution | None:
        if file.unmerged_file.kind in _NO_CONTENT:
            return None
        for resolver in self.resolvers.files:
            resolution = resolver.resolve_file(file, self.attempt)
            if resolution is not None:
                return resolution
        return self._resolve_regions(file)

    def _resolve_regions(self, file: ConflictedFile) -> FileResolution | None:
        if file.unmerged_file.kind not in (ConflictKind.CONTENT, ConflictKind.ADD_ADD):
            return None
        texts: dict[int, bytes] = {}
        resolutions: list[Resolution] = []
        for index, part in enumerate(file.parts):
            if isinstance(part, Region):
                resolution = self._resolve_region(file, index, part)
                if resolution is None or resolution.result is None:
                    return None
                texts[index] = resolution.result
                resolutions.append(resolution)
        if not texts:
            return None
        certainty = max((resolution.certainty for resolution in resolutions), key=list(Certainty).index)
        explanation = ", ".join(dict.fromkeys(resolution.how for resolution in resolutions))
        return FileResolution({file.path: join_parts(file.parts, texts)}, certainty, explanation, tuple(resolutions))

    def _resolve_region(self, file: ConflictedFile, index: int, region: Region) -> Resolution | None:
        for resolver in self.resolvers.regions:
            resolution = resolver.resolve_region(file, index, self.attempt)
            if resolution is not None:
                return _one_region(file, region, resolution, resolver.name)
        return None

    def _checked_tree(self, pick: UnmergedPick, contents: dict[str, bytes | None]) -> Sha | None:
        repository = self.attempt.repository
        for file in pick.files:
            for tree, side in ((pick.trees.ours, "on the branch"), (pick.trees.theirs, "in the original")):
                entry = find_entry(repository, tree, file.path)
                if entry is not None and entry.mode == DIRECTORY:
                    self.refusal = f"{file.path} is a folder {side}, which no answer about a file may replace"
                    return None
        entries: dict[str, Entry | None] = {file.path: _merged_entry(file) for file in pick.files}
        clean = changed_tree(repository, pick.tree, entries | _entries_aside(pick))
        tree = changed_files(repository, clean, contents)
        # Resolvers work on text, so a resolved file may not parse or may use a name that the branch lacks.
        faults = find_faults(repository, tree, target=pick.trees.ours, theirs=pick.trees.theirs, paths=contents)
        if faults:
            self.refusal = f"what came out does not pass: {faults[0].file}:{faults[0].line} {faults[0].detail}"
            return None
        return tree


def _merged_entry(file: UnmergedFile) -> Entry | None:
    # git merges modes like contents: the side that changed the mode wins.
    if file.ours is None or file.theirs is None:
        return file.ours or file.theirs
    mode_source = file.theirs if file.base is not None and file.ours.mode == file.base.mode else file.ours
    mode = mode_source.mode if mode_source.mode not in (SYMLINK, SUBMODULE) else file.ours.mode
    return Entry(mode, file.ours.sha)


def _entries_aside(pick: UnmergedPick) -> dict[str, Entry | None]:
    return {path: None for file in pick.files for path in file.aside}


def _region_resolutions(file: ConflictedFile, resolution: FileResolution, strategy: str) -> tuple[Resolution, ...]:
    return resolution.regions or (_whole_file(file, resolution, strategy),)


def _one_region(file: ConflictedFile, region: Region, resolution: RegionResolution, strategy: str) -> Resolution:
    return Resolution(
        path=file.path,
        base=region.base,
        ours=region.ours,
        theirs=region.theirs,
        result=resolution.text,
        rung=strategy,
        certainty=resolution.certainty,
        how=resolution.explanation,
    )


def _whole_file(file: ConflictedFile, resolution: FileResolution, strategy: str) -> Resolution:
    return Resolution(
        path=file.path,
        base=file.base,
        ours=file.ours,
        theirs=file.theirs,
        result=resolution.changes.get(file.path, file.ours),
        rung=strategy,
        certainty=resolution.certainty,
        how=resolution.explanation,
    )
