using FileTransfer.Receiving;
using FileTransfer.Storage;

namespace FileTransfer.Commands;

/// <summary>Where what is fetched goes: into which directory, and under which names.</summary>
/// <param name="Directory">The directory.</param>
/// <param name="Placement">The names in it.</param>
internal sealed record GetTarget(string Directory, Placement Placement)
{
    /// <summary>
    /// Decides what --out and --as mean. --as is a name inside of --out. --out is a directory, unless one path is asked for and --out is a file
    /// already, or looks like the name of one: it has a suffix, no slash at its end, and nothing is there yet.
    /// </summary>
    /// <exception cref="TransferException">They do not fit the paths.</exception>
    public static GetTarget Of(IReadOnlyList<string> paths, string output, string? name)
    {
        if (name is not null)
        {
            if (paths.Count != 1)
            {
                throw new TransferException(ExitCode.Usage, "--as names what is fetched, so it goes with exactly one path.");
            }

            return RelativePath.FindFault(name) is { } fault
                ? throw new TransferException(ExitCode.Usage, $"'{name}' cannot be the name of what is fetched: it {fault}.")
                : new GetTarget(output, new RenamedPlacement(paths[0].TrimEnd('/'), name, isNameOfFile: false));
        }

        var file = Path.GetFileName(output);
        var looksLikeFile = File.Exists(output) || (!Path.Exists(output) && file.LastIndexOf('.') > 0 && file[^1] != '.');
        return paths.Count == 1 && looksLikeFile && RelativePath.FindFault(file) is null
            ? new GetTarget(
                Path.GetDirectoryName(output) is { Length: > 0 } directory ? directory : ".",
                new RenamedPlacement(paths[0].TrimEnd('/'), file, isNameOfFile: true))
            : new GetTarget(output, Placement.Same);
    }
}
