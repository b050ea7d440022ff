#!/bin/sh
# Installs Debian's Blender with a window system of its own into a folder, without touching the
# machine's packages:
#
#     .ci/install_blender.sh [DIRECTORY] [SUITE]
#
# DIRECTORY  where it goes; default $MAQUETTE_CI_BLENDER, else ~/.cache/maquette-blender-SUITE
# SUITE      sid (Blender 5.2 LTS, the default) or trixie (Blender 4.3)
#
# Makes two programs: DIRECTORY/blender, for work without a window (--background), and
# DIRECTORY/blender-window, which runs Blender in a window on a display of its own
# ($MAQUETTE_SCREEN, default 1400x900x24). Both see the machine's /tmp, home folders and every
# top-level folder that a Debian root lacks, under the same paths. Runs as root; a second run on a
# finished folder does nothing. The log is DIRECTORY/install.log.
set -eu

suite=${2:-sid}
directory=${1:-${MAQUETTE_CI_BLENDER:-$HOME/.cache/maquette-blender-$suite}}
packages="blender xvfb xauth libgl1-mesa-dri libegl1 xdotool imagemagick ca-certificates
    python3-numpy python3-cattr python3-requests python3-pytest python3-zmq python3-msgspec
    python3-zstandard python3-pil"

fail() {
    echo "install_blender: $1" >&2
    exit 1
}

mkdir -p "$directory"
directory=$(cd "$directory" && pwd)
root=$directory/root
log=$directory/install.log

write_programs() {
    cat >"$directory/enter" <<'PROGRAM'
#!/bin/sh
# Runs a command in the folder's own Debian; the mounts live in a private namespace and end with it.
set -eu
if [ "${1:-}" != --inside ]; then
    exec unshare --mount --propagation private -- "$(readlink -f "$0")" --inside "$@"
fi
shift
root=$(dirname "$(readlink -f "$0")")/root
for folder in /*; do
    [ -d "$folder" ] && [ ! -L "$folder" ] || continue
    case $folder in
        /proc|/dev|/sys|/tmp|/home|/root|/opt|/mnt|/srv) ;;
        /run) continue ;;
        # Debian's own folders have files; what is left is what Debian lacks.
        *) [ -z "$(ls -A "$root$folder" 2>/dev/null)" ] || continue ;;
    esac
    mkdir -p "$root$folder"
    mount --rbind "$folder" "$root$folder"
done
exec chroot "$root" sh -c 'cd "$1" 2>/dev/null || cd /; shift; exec "$@"' sh "$PWD" "$@"
PROGRAM
    cat >"$directory/blender" <<'PROGRAM'
#!/bin/sh
# Blender without a window. Its Mesa can't share the machine's own shader cache.
exec "$(dirname "$(readlink -f "$0")")/enter" env LIBGL_ALWAYS_SOFTWARE=1 MESA_SHADER_CACHE_DISABLE=true blender "$@"
PROGRAM
    cat >"$directory/blender-window" <<'PROGRAM'
#!/bin/sh
# Blender in a window, on a display of its own that ends with it; the cache is as above.
exec "$(dirname "$(readlink -f "$0")")/enter" env LIBGL_ALWAYS_SOFTWARE=1 MESA_SHADER_CACHE_DISABLE=true \
    xvfb-run -a -s "-screen 0 ${MAQUETTE_SCREEN:-1400x900x24}" \
    blender --gpu-backend opengl "$@"
PROGRAM
    chmod +x "$directory/enter" "$directory/blender" "$directory/blender-window"
}

install() {
    rm -rf "$root"
    # The mirror that this machine's own package lists come from.
    mirror=$(apt-get indextargets --format '$(REPO_URI) $(ORIGIN)' 'Created-By: Packages' |
        awk '$2 == "Debian" && $1 !~ /security/ {print $1; exit}')
    [ -n "$mirror" ] || fail "found no Debian mirror in this machine's apt sources; run apt-get update."
    debootstrap --variant=minbase "$suite" "$root" "$mirror"
    printf 'Acquire::Check-Valid-Until "false";\nAPT::Install-Recommends "false";\n' \
        >"$root/etc/apt/apt.conf.d/90maquette"
    # Services must not start in a folder.
    printf '#!/bin/sh\nexit 101\n' >"$root/usr/sbin/policy-rc.d"
    chmod +x "$root/usr/sbin/policy-rc.d"
    "$directory/enter" env DEBIAN_FRONTEND=noninteractive sh -c "
        apt-get update &&
        apt-get install -y $(echo $packages) &&
        apt-get clean"
    touch "$root/.maquette-complete"
}

write_programs
if [ ! -e "$root/.maquette-complete" ]; then
    [ "$(id -u)" = 0 ] || fail "needs root, for debootstrap and chroot; run it as root."
    command -v debootstrap >/dev/null || fail "debootstrap is missing; apt-get install debootstrap."
    # Run apart, so that set -e holds inside.
    if ! ( install ) >"$log" 2>&1; then
        tail -n 20 "$log" >&2
        fail "could not install; the whole log is $log."
    fi
fi
"$directory/blender" --version | head -n 1
