# SPDX-License-Identifier: GPL-2.0-only
#
# Fish completion of hbpf. See hbpf.bash.

function __hbpf_complete
    set -l words (commandline -opc) (commandline -ct)
    set -lx PATH $PATH /usr/local/sbin /usr/sbin
    set -l lines ($words[1] __complete $words[2..] 2>/dev/null)
    if test "$lines[1]" = @files
        __fish_complete_path (string replace -r '.*=' '' -- $words[-1])
    else if set -q lines[1]
        printf '%s\n' $lines
    end
end

complete -c hbpf -f -a '(__hbpf_complete)'
