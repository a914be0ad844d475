using System.Buffers;
using System.Security.Cryptography;
using FileTransfer.Protocol;
using Microsoft.Win32.SafeHandles;

namespace FileTransfer.Sources;

/// <summary>The SHA-256 of what a file holds.</summary>
internal static class ContentHash
{
    /// <summary>Hashes the first bytes of a file.</summary>
    public static byte[] Of(SafeFileHandle file, long size)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        Append(hash, file, 0, size, CancellationToken.None);
        return hash.GetHashAndReset();
    }

    /// <summary>Adds a range of a file to a hash.</summary>
    /// <returns>False when the file ends before the range does.</returns>
    public static bool Append(IncrementalHash hash, SafeFileHandle file, long from, long to, CancellationToken cancellationToken)
    {
        var buffer = ArrayPool<byte>.Shared.Rent(TransferLimits.ChunkSize);
        try
        {
            while (from < to)
            {
                cancellationToken.ThrowIfCancellationRequested();
                var read = RandomAccess.Read(file, buffer.AsSpan(0, (int)Math.Min(buffer.Length, to - from)), from);
                if (read == 0)
                {
                    return false;
                }

                hash.AppendData(buffer, 0, read);
                from += read;
            }

            return true;
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }
    }

    /// <summary>Adds zeros to a hash.</summary>
    public static void AppendZeros(IncrementalHash hash, long count)
    {
        var zeros = Zeros;
        while (count > 0)
        {
            var piece = (int)Math.Min(count, zeros.Length);
            hash.AppendData(zeros[..piece]);
            count -= piece;
        }
    }

    private static ReadOnlySpan<byte> Zeros => ZeroBytes;

    private static readonly byte[] ZeroBytes = new byte[64 * 1024];
}
