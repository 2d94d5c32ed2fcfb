"""Examples for the help of each command, and the page about the command line. Tests read every one of them with the parser."""

from __future__ import annotations

from typing import Final

__all__ = ["EXAMPLES"]

_DATA: Final = "5a3f0e7c-1b1d-4d0a-9d8f-2f0c3b1a9e01"
_VIEW: Final = "https://lfview.com/app/lab/project/view"


def _lines(path: str, *lines: str) -> tuple[str, tuple[str, ...]]:
    command = f"asyncclient {path}".rstrip()
    return command, tuple(line if line.startswith("asyncclient ") else f"{command} {line}".rstrip() for line in lines)


EXAMPLES: Final[dict[str, tuple[str, ...]]] = dict(
    (
        _lines("", "config --check", "las documents upload invoices/ --json", "voxel51 data list --limit 10"),
        _lines("config", "", "las flywheel", "--check --json"),
        _lines("demo", "--size small", "photos/ --html report.html"),
        _lines("testing", "serve las"),
        _lines("testing serve", "las", "lfview --port 8001 --tls"),
        # transfers
        _lines("transfers", "list", "resume --all"),
        _lines("transfers list", "", "--json"),
        _lines("transfers resume", "3f9a2b1c", "--all"),
        _lines("transfers abort", "3f9a2b1c"),
        _lines("transfers prune", "--older-than 30d"),
        # las
        _lines("las", "documents upload invoice.pdf", "api documents list_documents --param max_results=5"),
        _lines("las api", "", "datasets", "datasets create_dataset --describe", "models list_models -p max_results=5"),
        _lines("las documents", "upload invoice.pdf", "list --limit 10"),
        _lines("las documents upload", "invoice.pdf", "invoices/ --dataset las:dataset:0123 --json"),
        _lines("las documents list", "--limit 10", "--dataset las:dataset:0123 --json"),
        _lines("las documents get", "las:document:0123"),
        _lines(
            "las documents download", "las:document:0123 -o invoice.pdf", "las:document:01 las:document:23 -o folder"
        ),
        _lines("las documents delete", "las:document:0123", "--dataset las:dataset:0123 --yes"),
        _lines("las datasets", "list", "create --name invoices"),
        _lines("las datasets list", "", "--limit 10 --json"),
        _lines("las datasets create", "--name invoices --description 'of this year'"),
        _lines("las datasets get", "las:dataset:0123"),
        _lines("las datasets delete", "las:dataset:0123 --documents --yes"),
        _lines("las models", "list"),
        _lines("las models list", "", "--profile test --json"),
        _lines("las models get", "las:model:invoice"),
        _lines("las predictions", "create las:document:0123 las:model:invoice"),
        _lines("las predictions create", "las:document:0123 las:model:invoice --json"),
        _lines("las predictions list", "--limit 10", "--model las:model:invoice"),
        # lfview
        _lines("lfview", "upload samples.csv", f"download {_VIEW} folder"),
        _lines("lfview upload", "samples.csv --name 'Drill holes'", "folder", "photo.png"),
        _lines("lfview download", f"{_VIEW} folder"),
        _lines("lfview get", f"{_VIEW} --json"),
        _lines("lfview share", f"{_VIEW} ada@example.org --role editor"),
        _lines("lfview delete", f"{_VIEW} --yes"),
        _lines(
            "lfview api", "", "views", "views download_view --param org=lab --param project=project --param view=view"
        ),
        # flywheel
        _lines("flywheel", "ls fw://lab/Study", "sync study fw://lab/Study --dry-run"),
        _lines("flywheel ls", "", "fw://lab/Study --json"),
        _lines("flywheel cp", "scan.nii fw://lab/Study/s-01/visit/T1w", "-r fw://lab/Study study --type nifti"),
        _lines("flywheel sync", "study fw://lab/Study --dry-run", "fw://lab/Study study --name '*.dcm'"),
        _lines("flywheel jobs", "--state running", "5c4f3a --wait"),
        _lines("flywheel view", "", "fw://lab/Study -c subject.label -c session.label -o rows.csv"),
        _lines("flywheel api", "", "projects", "projects get_all_projects --param limit=5"),
        # sticky-pi
        _lines("sticky-pi", "put-images card/", "report --output page.html"),
        _lines("sticky-pi serve", "--local-dir data --port 8000"),
        _lines("sticky-pi put-images", "card/", "card/ --host https://sticky.example.org --username ada"),
        _lines("sticky-pi get-image-series", "--device '0a%' --start 2022-05-17 --json"),
        _lines("sticky-pi put-ml-bundle", "nets nets/"),
        _lines("sticky-pi get-ml-bundle", "nets folder/nets"),
        _lines(
            "sticky-pi api",
            "",
            "projects put_projects --describe",
            'projects put_projects --param \'info={"name": "Meadow"}\'',
            "images get_image_series --param info=@ranges.json --param what=thumbnail",
        ),
        _lines("sticky-pi users", "", "--add ada --email ada@example.org", "--delete ada --yes"),
        _lines("sticky-pi report", "--start 2022-05-17 --output page.html"),
        # voxel51
        _lines("voxel51", "data upload clip.mp4", "jobs list --running --complete"),
        _lines("voxel51 status", "", "--json"),
        _lines("voxel51 api", "", "jobs", "jobs list_jobs"),
        _lines("voxel51 auth", "activate api-token.json", "show"),
        _lines("voxel51 auth show", ""),
        _lines("voxel51 auth activate", "api-token.json"),
        _lines("voxel51 auth deactivate", ""),
        _lines("voxel51 data", "list --limit 10", "upload clip.mp4"),
        _lines("voxel51 data list", "--limit 10 --sort-by size", "--search name:clip,type:video --json"),
        _lines("voxel51 data info", _DATA),
        _lines("voxel51 data upload", "a.mp4 b.mp4", "a.mp4 --print-id"),
        _lines(
            "voxel51 data post-url",
            "-u https://example.org/clip.mp4 -f clip.mp4 -m video/mp4 -s 1000 -e 2030-01-01",
        ),
        _lines("voxel51 data download", f"{_DATA} --path clip.mp4", f"{_DATA} --url"),
        _lines("voxel51 data ttl", f"--days 30 {_DATA}", "--date 2030-01-01 --all --yes"),
        _lines("voxel51 data delete", _DATA, "--all --dry-run"),
        _lines("voxel51 jobs", "upload -r request.json -n 'first try' --auto-start", "list --failed"),
        _lines("voxel51 jobs list", "--running --complete --count", "--search name:first --json"),
        _lines("voxel51 jobs info", _DATA),
        _lines("voxel51 jobs upload", "-r request.json -n 'first try' --auto-start"),
        _lines("voxel51 jobs request", f"{_DATA} --path request.json"),
        _lines("voxel51 jobs status", _DATA),
        _lines("voxel51 jobs log", _DATA),
        _lines("voxel51 jobs download", f"{_DATA} --path labels.json"),
        _lines("voxel51 jobs start", _DATA, "--all --yes"),
        _lines("voxel51 jobs archive", _DATA),
        _lines("voxel51 jobs unarchive", "--all --dry-run"),
        _lines("voxel51 jobs kill", _DATA),
        _lines("voxel51 jobs delete", _DATA),
        _lines("voxel51 jobs ttl", f"--days 30 {_DATA}"),
        _lines("voxel51 analytics", "list --public", "doc ID"),
        _lines("voxel51 analytics list", "--public --limit 10", "--user --json"),
        _lines("voxel51 analytics info", _DATA),
        _lines("voxel51 analytics doc", f"{_DATA} --path doc.json"),
        _lines("voxel51 analytics upload", "analytic.json --print-id"),
        _lines("voxel51 analytics upload-image", f"--id {_DATA} --path image.tar.gz --image-type CPU"),
        _lines("voxel51 analytics delete", f"{_DATA} --yes"),
    )
)
"""By the path of the command; lines as they are typed."""
