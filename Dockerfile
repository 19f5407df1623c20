# Grades a class folder, in a container and as a user without rights.
#
#   docker build --tag grade .
#   mkdir -p results
#   docker run --rm --network none --user "$(id -u):$(id -g)" \
#       --security-opt seccomp=docs/seccomp.json --security-opt apparmor=unconfined \
#       --security-opt systempaths=unconfined \
#       --volume "$PWD/submissions:/data/submissions:ro" \
#       --volume "$PWD/results:/data/results" \
#       grade submissions
#
# The folder of hand-ins is mounted read-only, `results` is where reports and gradebook.csv
# arrive, owned by whoever ran the command. Grading needs no network.
#
# The three options let the grader put each hand-in into namespaces of its own: Docker's seccomp
# profile refuses to make them (ours allows that and little else), its AppArmor profile refuses to
# mount in them (where there is no AppArmor the option does nothing), and where parts of /proc are
# masked the kernel shows no new /proc, which programs can mostly do without. Without the options
# hand-ins are confined by Landlock and seccomp instead, and have no network of their own: what
# starts several processes (torchrun, DDP) cannot be graded. `doctor` in the place of
# `submissions` says what works. Podman calls the last option unmask=ALL.
#
# As root of the container, --cap-add SYS_ADMIN --cap-add NET_ADMIN gives each hand-in a user of its
# own, too; --security-opt writable-cgroups=true (Docker 28), a control group.
#
# BASE may be any image with Python 3.11 or later. One that has torch already saves its download,
# several GB for the CUDA build that pip takes on Linux by default; without a GPU both builds
# grade alike. Another package index is named with --build-arg PIP_INDEX_URL=...
ARG BASE=python:3.11-slim
FROM ${BASE}

ARG PIP_INDEX_URL
ARG PIP_EXTRA_INDEX_URL

WORKDIR /source
COPY . .
RUN pip install --no-cache-dir --constraint constraints.txt '.[similarity]' && rm -rf /source/*

RUN useradd --uid 10001 --create-home grader && install -d -o grader /data /data/results
USER grader
WORKDIR /data

# Any --user may have no home of its own; caches go where everybody may write.
ENV HOME=/tmp PYTHONDONTWRITEBYTECODE=1
ENTRYPOINT ["grade"]
CMD ["--help"]
