using System.Globalization;

namespace FileTransfer.Commands;

/// <summary>A directory of real variety: many small files, some large, empty ones, deep ones, names of the whole world.</summary>
internal static class DemoFiles
{
    private static readonly string[] Names = ["žluťoučký kůň.txt", "日本語のファイル.txt", "Ωμέγα.md", "🚀 launch notes.txt", "with spaces, and-more_.(1).txt"];

    public static void Create(string directory, int largestMebibytes)
    {
        var random = new Random(20161);
        Directory.CreateDirectory(directory);
        for (var number = 0; number < 400; number++)
        {
            Write(directory, $"small/{number % 20:00}/{number:0000}.dat", random.Next(1, 8 * 1024), random);
        }

        foreach (var name in Names)
        {
            Write(directory, "names/" + name, random.Next(1, 64 * 1024), random);
        }

        Write(directory, "empty/nothing", 0, random);
        Write(directory, "empty/nothing either.txt", 0, random);
        Write(directory, string.Join('/', Enumerable.Range(1, 20).Select(depth => "d" + depth.ToString(CultureInfo.InvariantCulture))) + "/deep", 1000, random);

        // Around the size of a chunk, where mistakes by one live.
        foreach (var offset in new[] { -1, 0, 1 })
        {
            Write(directory, $"edges/chunk{offset:+0;-0;0}", Protocol.TransferLimits.ChunkSize + offset, random);
        }

        Write(directory, "large/one.bin", largestMebibytes * 1024L * 1024, random);
        Write(directory, "large/two.bin", largestMebibytes * 1024L * 512 + 12345, random);
        Write(directory, "large/three.bin", largestMebibytes * 1024L * 256 + 1, random);
    }

    private static void Write(string directory, string path, long size, Random random)
    {
        var full = Path.Combine(directory, path);
        Directory.CreateDirectory(Path.GetDirectoryName(full)!);
        using var stream = File.Create(full);
        var buffer = new byte[128 * 1024];
        while (size > 0)
        {
            var count = (int)Math.Min(size, buffer.Length);
            random.NextBytes(buffer.AsSpan(0, count));
            stream.Write(buffer, 0, count);
            size -= count;
        }
    }
}
