using System.Text.Json;
using System.Text.Json.Serialization.Metadata;

namespace FileTransfer.Protocol;

/// <summary>The lines of JSON that begin a stream.</summary>
internal static class Lines
{
    /// <summary>Reads a line, and not one byte of what follows it.</summary>
    /// <exception cref="TransferException">It is too long, or breaks off.</exception>
    public static async ValueTask<byte[]> ReadAsync(Stream stream, CancellationToken cancellationToken)
    {
        var line = new List<byte>();
        var one = new byte[1];
        while (line.Count <= TransferLimits.MaxLine)
        {
            if (await stream.ReadAsync(one, cancellationToken) == 0)
            {
                throw new TransferException(ExitCode.Interrupted, "The stream broke off in its first line.");
            }

            if (one[0] == (byte)'\n')
            {
                return [.. line];
            }

            line.Add(one[0]);
        }

        throw new TransferException(ExitCode.Refused, "The first line of the stream does not end.");
    }

    /// <summary>Writes a line.</summary>
    public static ValueTask WriteAsync<T>(Stream stream, T value, JsonTypeInfo<T> format, CancellationToken cancellationToken) =>
        stream.WriteAsync((byte[])[.. JsonSerializer.SerializeToUtf8Bytes(value, format), (byte)'\n'], cancellationToken);
}
