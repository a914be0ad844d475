namespace Post.Quic.Benchmarks.Cases;

/// <summary>How sizes are written.</summary>
internal static class Sizes
{
    private const int KiB = 1024;

    public static string Of(int size) => size % KiB == 0 ? $"{size / KiB} KiB" : $"{size} bytes";

    /// <summary>In the name of a case.</summary>
    public static string Suffix(int size) => size % KiB == 0 ? $"-{size / KiB}KiB" : $"-{size}B";
}
