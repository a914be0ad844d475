using System.Buffers;
using System.Text;
using FileTransfer.Protocol;

namespace FileTransfer.Storage;

/// <summary>
/// Names as they travel: relative, with slashes. What no honest sender names is refused; what is honest but cannot be a name on the disk at
/// hand fails alone. A name is never repaired, since two repairs may meet in one name.
/// </summary>
internal static class RelativePath
{
    /// <summary>Where unfinished files lie, inside the destination; nobody may name it.</summary>
    public const string StateDirectory = ".post-file";

    // Windows gives these another meaning in every directory, with any extension.
    private static readonly string[] Devices =
    [
        "CON", "PRN", "AUX", "NUL", "CONIN$", "CONOUT$",
        .. Enumerable.Range(0, 10).SelectMany(n => new[] { $"COM{n}", $"LPT{n}" }),
    ];

    private static readonly SearchValues<char> ForbiddenOnWindows = SearchValues.Create("\\:*?\"<>|");

    /// <summary>Whether two names that differ in case only are one on the machine at hand.</summary>
    public static bool IgnoresCase { get; } = OperatingSystem.IsWindows() || OperatingSystem.IsMacOS();

    /// <summary>Null for a path that may travel; else what is wrong with it. It is text for "'path' ...".</summary>
    public static string? FindFault(string path)
    {
        if (path.Length == 0 || path[0] == '/')
        {
            return "is not a relative path";
        }

        if (path.Length > TransferLimits.MaxPathBytes || Encoding.UTF8.GetByteCount(path) > TransferLimits.MaxPathBytes)
        {
            return $"is longer than {TransferLimits.MaxPathBytes} bytes";
        }

        // Surrogates without a partner have no UTF-8, and .NET reads a name that is no UTF-8 as this character.
        foreach (var rune in path.EnumerateRunes())
        {
            if (rune == Rune.ReplacementChar)
            {
                return "is not UTF-8";
            }
        }

        var isFirst = true;
        foreach (var range in path.AsSpan().Split('/'))
        {
            var name = path.AsSpan(range);
            if (name.Length == 0 || name is "." or "..")
            {
                return "has an empty name, '.' or '..' in it";
            }

            if (name.Contains('\0'))
            {
                return "has a zero character in it";
            }

            if (isFirst && name.Equals(StateDirectory, StringComparison.OrdinalIgnoreCase))
            {
                return "names the directory for unfinished files";
            }

            isFirst = false;
        }

        return null;
    }

    /// <summary>Null for a path without faults that can be a name on this machine; else why it cannot.</summary>
    public static string? FindLocalFault(string path) => OperatingSystem.IsWindows() ? FindWindowsFault(path) : null;

    /// <summary>Null for a path whose names Windows takes; else why it does not.</summary>
    public static string? FindWindowsFault(string path)
    {
        foreach (var name in path.Split('/'))
        {
            if (name.Any(char.IsControl) || name.AsSpan().ContainsAny(ForbiddenOnWindows))
            {
                return "Windows allows no control characters and none of \\ : * ? \" < > | in names";
            }

            if (name[^1] is '.' or ' ')
            {
                return "Windows allows no name that ends in a dot or a space";
            }

            var dot = name.IndexOf('.', StringComparison.Ordinal);
            if (Devices.Contains((dot < 0 ? name : name[..dot]).TrimEnd(' '), StringComparer.OrdinalIgnoreCase))
            {
                return "Windows takes the name for a device";
            }
        }

        return null;
    }

    /// <summary>
    /// Whether a link stays inside the tree: a relative target that, from where the link lies, does not climb above the root by its text.
    /// </summary>
    public static bool StaysInside(string linkPath, string target)
    {
        if (target.Length == 0 || target[0] is '/' or '\\' || target.Contains('\0', StringComparison.Ordinal)
            || (OperatingSystem.IsWindows() && target.AsSpan().ContainsAny('\\', ':')))
        {
            return false;
        }

        var depth = linkPath.Count(c => c == '/');
        foreach (var range in target.AsSpan().Split('/'))
        {
            var name = target.AsSpan(range);
            depth += name is "" or "." ? 0 : name is ".." ? -1 : 1;
            if (depth < 0)
            {
                return false;
            }
        }

        return true;
    }

    /// <summary>The directory of a path; empty for one at the root.</summary>
    public static string ParentOf(string path) => path.LastIndexOf('/') is var slash && slash < 0 ? string.Empty : path[..slash];

    /// <summary>The last name of a path.</summary>
    public static string NameOf(string path) => path[(path.LastIndexOf('/') + 1)..];

    public static string Join(string directory, string name) => directory.Length == 0 ? name : directory + "/" + name;

    /// <summary>For people: at no great length, and without what moves a cursor.</summary>
    public static string Show(string path) =>
        string.Concat((path.Length > 300 ? path[..300] + "..." : path).Select(c => char.IsControl(c) ? '?' : c));
}
