"""The pictures of the gallery, as data: for each the command that draws it, and what to look at in it.

The commands are as a reader types them, but for ``--out``, which ``gallery.py`` adds.
"""

from __future__ import annotations

from dataclasses import dataclass

_RUNS = "reproduction/runs"


def run(name: str) -> str:
    """Where `latentia reproduce` leaves seed 0 of a system."""
    return f"{_RUNS}/{name}/seed-0"


@dataclass(frozen=True)
class Picture:
    """One picture of the page.

    Attributes:
        name: Of its file in ``docs/gallery/``.
        title: In a few words, for those who cannot see it.
        sentence: What to look at.
        command: Draws it. Empty if training drew it: then ``file`` is its whole path.
        file: Which of the files that the command writes, where there are several; of one whose ``--out`` is a path,
            these are called ``out``.
        before: What must be done once before, each with the folder that it makes.
    """

    name: str
    title: str
    sentence: str
    command: str
    file: str = ""
    before: tuple[tuple[str, str], ...] = ()


_MOVIE = f"{_RUNS}/vae-2d-movie"
_ONE_CLASS = f"{_RUNS}/vae-400-20-threes"
_SWEEP = "latentia demonstrate beta-sweep vae-256-256-20 --data mnist --beta 0.25 --beta 1 --beta 4 --epochs 5"
_CODES = run("vq-vae-512x64")

SECTIONS: dict[str, list[Picture]] = {
    "vae-400-20": [
        Picture(
            "vae-400-20-reconstructions.png",
            "originals over reconstructions",
            "Ten test images over what comes back through 20 latents: common shapes return; rare ones, such as this 5, "
            "lose their angles, and their error says so.",
            f"latentia reconstruct {run('vae-400-20')} -n 10",
        ),
        Picture(
            "vae-400-20-samples.png",
            "a grid of samples",
            "Decoded draws from N(0, I): strokes are clean everywhere, but many a shape is none of the ten digits, "
            "because the aggregate posterior does not fill the prior.",
            f"latentia sample {run('vae-400-20')}",
        ),
        Picture(
            "vae-400-20-traversals.png",
            "traversals of the latent dimensions",
            "The tutorial's last question, what the dimensions mean: each row moves one of them, those of the highest "
            "rate first. Some thicken the stroke, some turn the 7 into another digit; most do several things at once.",
            f"latentia traverse {run('vae-400-20')}",
        ),
        Picture(
            "vae-400-20-morph.png",
            "a 3 becomes an 8",
            "A 3 becomes an 8 on a straight line between their latents: its gaps close, and every step is a stroke.",
            f"latentia interpolate {run('vae-400-20')} --from 3 --to 8",
        ),
        Picture(
            "vae-400-20-anomalies.png",
            "the most anomalous and the borderline samples",
            "A model that saw threes alone: the largest squared errors are sixes, noughts and nines, and the error of "
            "each pixel shows the strokes that it could not draw.",
            f"latentia anomaly {_ONE_CLASS}",
            "*-pictures.png",
            (
                (
                    "latentia train vae-400-20 --data mnist --epochs 20 --set data.normal_classes=3 "
                    f"--set data.validation=0.1 --out {_ONE_CLASS}",
                    _ONE_CLASS,
                ),
            ),
        ),
        Picture(
            "vae-400-20-anomaly-scores.png",
            "histogram of the anomaly scores",
            "The scores of all test images, threes and others, and the threshold that 5 % of held-out threes exceed.",
            f"latentia anomaly {_ONE_CLASS}",
            "*-histogram.png",
        ),
    ],
    "vae-256-64-10": [
        Picture(
            "vae-256-64-10-and-faithful.png",
            "the repaired and the faithful model",
            "Repaired and as written: with mean and deviation behind a ReLU half of the latents die, and what is left "
            "draws blurred averages.",
            f"latentia compare {run('vae-256-64-10')} {run('vae-256-64-10-faithful')} -n 4",
            "compare-images.png",
        ),
    ],
    "ae-2d, vae-2d and vae-2d-w100": [
        Picture(
            "planes.png",
            "latents of the three models of the plane",
            "Samples of z: the autoencoder puts its points anywhere and leaves holes, the VAE packs them around the "
            "origin, and with w = 100 no image can be told from another.",
            f"latentia compare {run('ae-2d')} {run('vae-2d')} {run('vae-2d-w100')} --latents sample",
            "compare-latents.png",
        ),
        Picture(
            "ae-2d-manifold.png",
            "the autoencoder's plane, decoded",
            "The autoencoder's plane from -2 to 2: a small part of where its points lie, with smeared hybrids between "
            "the classes.",
            f"latentia manifold {run('ae-2d')} --range -2 2",
        ),
        Picture(
            "vae-2d-manifold.png",
            "the VAE's plane, decoded",
            "The VAE's plane from -3 to 3, nearly all that the prior will ever draw: digits everywhere, smeared only "
            "where many classes meet.",
            f"latentia manifold {run('vae-2d')} --range -3 3",
        ),
        Picture(
            "vae-2d-point.png",
            "one point, decoded",
            "The point that the notebook picks, (-3, 2), far out in this plane too; which digit lies there differs "
            "from run to run, because the plane may be turned and mirrored.",
            f"latentia decode {run('vae-2d')} -3,2",
        ),
        Picture(
            "vae-2d-movie.gif",
            "the plane through training",
            "Latents and reconstructions from the first step to the last: the classes leave one heap, push each other "
            "aside and settle.",
            f"latentia movie {_MOVIE} --frames 60",
            before=(
                (
                    "latentia train vae-2d --data mnist --set training.keep_checkpoints=1000 "
                    f"--set training.checkpoint_every=250 --out {_MOVIE}",
                    _MOVIE,
                ),
            ),
        ),
    ],
    "conv-ae-4x4x4 and conv-vae-4x4x4": [
        Picture(
            "five-panels.png",
            "the same images through four models",
            "Original, linear AE and VAE through two numbers, convolutional AE and VAE through a cube of 64: more "
            "latents bring the strokes back, and the VAE's noise costs it some sharpness.",
            f"latentia compare {run('ae-2d')} {run('vae-2d')} {run('conv-ae-4x4x4')} {run('conv-vae-4x4x4')} -n 3 "
            "--projection pca",
            "compare-images.png",
        ),
        Picture(
            "cubes.png",
            "t-SNE of the cubes of latents",
            "t-SNE of both cubes of latents: digits gather in both, though neither model was told of them.",
            f"latentia compare {run('conv-ae-4x4x4')} {run('conv-vae-4x4x4')} --projection tsne",
            "compare-latents.png",
        ),
        Picture(
            "conv-vae-4x4x4-sample.png",
            "draws from the convolutional VAE",
            "Draws from the prior of the cube: each of its places is drawn on its own, so that strokes do not meet and "
            "nothing is a digit.",
            f"latentia sample {run('conv-vae-4x4x4')} -n 16",
        ),
    ],
    "ae-32": [
        Picture(
            "ae-32-reconstructions.png",
            "originals over reconstructions",
            "Through 32 numbers without a prior: sharper than the VAEs, because nothing asks the latents to lie close.",
            f"latentia reconstruct {run('ae-32')} -n 10",
        ),
        Picture(
            "ae-32-samples.png",
            "draws from N(0, I) through the autoencoder",
            "Why an autoencoder does not generate: nothing made N(0, I) the place where its latents lie.",
            f"latentia sample {run('ae-32')} -n 16 --prior standard-normal",
        ),
    ],
    "conv-ae-64": [
        Picture(
            "conv-ae-64-reconstructions.png",
            "originals over reconstructions",
            "64 latents behind convolutions: hardly a difference is left to see.",
            f"latentia reconstruct {run('conv-ae-64')} -n 10",
        ),
    ],
    "denoising-ae-64": [
        Picture(
            "denoising-ae-64.png",
            "original, noisy and denoised",
            "Noise of sigma 0.5 and what is left of it: where noise hides a stroke, the model draws the common one.",
            f"latentia denoise {run('denoising-ae-64')}",
        ),
    ],
    "denoising-conv-ae": [
        Picture(
            "denoising-conv-ae.png",
            "original, noisy and denoised",
            "The same noisy images through our convolutional one: thin strokes stay thin.",
            f"latentia denoise {run('denoising-conv-ae')}",
        ),
    ],
    "sparse-ae-64": [
        Picture(
            "sparse-ae-64-reconstructions.png",
            "originals over reconstructions",
            "Many latents are exactly 0, and little is lost by it.",
            f"latentia reconstruct {run('sparse-ae-64')} -n 10",
        ),
    ],
    "vae-256-256-20": [
        Picture(
            "vae-256-256-20-curves.png",
            "loss, distortion and rate over the epochs",
            "Loss, distortion and rate: the rate rises while the distortion falls; the loss is their sum.",
            "",
            f"{run('vae-256-256-20')}/plots/curves.png",
        ),
        Picture(
            "vae-256-256-20-samples.png",
            "64 samples",
            "Draws from N(0, I), at temperature 1: nothing was chosen.",
            f"latentia sample {run('vae-256-256-20')}",
        ),
        Picture(
            "vae-256-256-20-morph.png",
            "a 3 becomes a 7",
            "A 3 becomes a 7 in ten steps: the lower bow opens, then the upper one becomes a bar.",
            f"latentia interpolate {run('vae-256-256-20')} --from 3 --to 7 --steps 10",
        ),
        Picture(
            "vae-256-256-20-latents.png",
            "t-SNE of 3,000 test latents",
            "t-SNE of 3,000 posterior means: classes are apart without a label ever seen; 4 and 9 touch, as do 3, 5 "
            "and 8.",
            f"latentia embed {run('vae-256-256-20')} -n 3000 --projection tsne",
            "*.png",
        ),
        Picture(
            "reparameterisation.png",
            "draws by scaling and shifting noise",
            "Draws as mu + sigma epsilon with mu = 2 and logvar = 0.5: mean and deviation beside the exact 2.00 and "
            "1.28, and gradients through the draws beside the exact ones.",
            "latentia demonstrate reparameterisation",
        ),
        Picture(
            "beta-sweep.png",
            "rate against distortion for several betas",
            "The course module's table of beta below, at and above 1 as a picture: a larger beta buys a smaller rate "
            "with distortion, and leaves more latents unused.",
            _SWEEP,
        ),
        Picture(
            "beta-sweep-traversals.png",
            "a traversal for each beta",
            "The dimension of the highest rate for each of these betas.",
            _SWEEP,
            "out-traversals.png",
        ),
    ],
    "beta4-vae-10": [
        Picture(
            "beta4-vae-10-traversals.png",
            "traversals of the latent dimensions",
            "Each row moves one dimension: with beta = 4 some carry nothing, and the others change one thing each "
            "more often than without.",
            f"latentia traverse {run('beta4-vae-10')}",
        ),
    ],
    "conv-vae-32": [
        Picture(
            "conv-vae-32-reconstructions.png",
            "originals over reconstructions",
            "The best ELBO of the tutorials' VAEs: strokes keep their ends.",
            f"latentia reconstruct {run('conv-vae-32')} -n 10",
        ),
        Picture(
            "conv-vae-32-samples.png",
            "64 samples",
            "Draws from N(0, I), at temperature 1.",
            f"latentia sample {run('conv-vae-32')}",
        ),
    ],
    "conditional-vae-20": [
        Picture(
            "conditional-vae-20-samples.png",
            "samples of every class",
            "Each row is one wished digit: the class is told to the decoder, and the latents hold what is left, the "
            "hand.",
            f"latentia sample {run('conditional-vae-20')}",
        ),
    ],
    "vq-vae-512x64": [
        Picture(
            "vq-vae-512x64-reconstructions.png",
            "originals over reconstructions",
            "Each image is 7 x 7 of 512 codes: hardly a difference is left to see.",
            f"latentia reconstruct {_CODES} -n 10",
        ),
        Picture(
            "vq-vae-512x64-uniform.png",
            "samples from uniform codes",
            "Codes drawn uniformly: every patch is a stroke and nothing is a digit.",
            f"latentia sample {_CODES} -n 32 --prior uniform",
        ),
        Picture(
            "vq-vae-512x64-samples.png",
            "samples from its fitted prior",
            "Codes drawn from the autoregressive prior that was fitted to them: strokes meet, and most are digits.",
            f"latentia sample {_CODES} -n 32 --prior autoregressive",
            before=((f"latentia fit-prior {_CODES} autoregressive", f"{_CODES}/priors/autoregressive"),),
        ),
    ],
}
"""Heading -> pictures. A heading that is a preset's name is followed by what the preset is."""
