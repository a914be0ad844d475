using System.Globalization;
using FileTransfer.Protocol;

namespace FileTransfer.Reporting;

/// <summary>An entry of a listing, for programs.</summary>
/// <param name="Path">The path.</param>
/// <param name="Kind">file, directory or link.</param>
/// <param name="Size">Bytes of a file.</param>
/// <param name="Modified">When it was last written, in UTC.</param>
/// <param name="Mode">Permissions in octal digits, where there are any.</param>
/// <param name="Target">Where a link points to.</param>
internal sealed record JsonFile(string Path, string Kind, long Size, string Modified, string? Mode, string? Target)
{
    public static JsonFile Of(FileEntry entry) => new(
        entry.Path,
        entry.Kind.ToString().ToLowerInvariant(),
        Math.Max(0, entry.Size),
        entry.Modified.IsOrdinary ? entry.Modified.ToDateTime().ToString("O", CultureInfo.InvariantCulture) : entry.Modified.ToString(),
        entry.Mode is { } mode ? Convert.ToString(mode, 8) : null,
        entry.Target);
}
