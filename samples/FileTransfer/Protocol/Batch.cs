using System.Buffers;
using System.Buffers.Binary;
using System.Security.Cryptography;

namespace FileTransfer.Protocol;

/// <summary>
/// Small files in one object, one after another: number (4 bytes, big-endian), length (4), SHA-256 (32), contents. Memory is pooled.
/// </summary>
internal sealed class Batch : IDisposable
{
    public const int HeaderSize = 4 + 4 + MessageHeader.HashSize;

    private byte[] _bytes = ArrayPool<byte>.Shared.Rent(
        TransferLimits.BatchSize + TransferLimits.SmallFileSize + (HeaderSize * TransferLimits.MaxBatchFiles));

    /// <summary>Files in it.</summary>
    public int Count { get; private set; }

    /// <summary>Bytes of it.</summary>
    public int Length { get; private set; }

    /// <summary>Bytes of the files in it.</summary>
    public long ContentLength => Length - ((long)Count * HeaderSize);

    /// <summary>Whether it should be sent before another file is added.</summary>
    public bool IsFull => Count >= TransferLimits.MaxBatchFiles || ContentLength >= TransferLimits.BatchSize;

    public ReadOnlyMemory<byte> Memory => _bytes.AsMemory(0, Length);

    /// <summary>Where the contents of the next file go; <see cref="Add"/> takes them in.</summary>
    public Span<byte> Next(int length) => _bytes.AsSpan(Length + HeaderSize, length);

    /// <summary>Takes in the file whose contents are in <see cref="Next"/>.</summary>
    public void Add(uint number, int length)
    {
        var header = _bytes.AsSpan(Length, HeaderSize);
        BinaryPrimitives.WriteUInt32BigEndian(header, number);
        BinaryPrimitives.WriteInt32BigEndian(header[4..], length);
        SHA256.HashData(Next(length), header[8..]);
        Length += HeaderSize + length;
        Count++;
    }

    /// <summary>Takes the first file off a batch that came.</summary>
    /// <exception cref="TransferException">It is none.</exception>
    public static ReadOnlySpan<byte> Take(ref ReadOnlySpan<byte> batch, out uint number, out ReadOnlySpan<byte> hash)
    {
        if (batch.Length >= HeaderSize
            && BinaryPrimitives.ReadInt32BigEndian(batch[4..]) is >= 0 and <= TransferLimits.SmallFileSize and var length
            && length <= batch.Length - HeaderSize)
        {
            number = BinaryPrimitives.ReadUInt32BigEndian(batch);
            hash = batch.Slice(8, MessageHeader.HashSize);
            var contents = batch.Slice(HeaderSize, length);
            batch = batch[(HeaderSize + length)..];
            return contents;
        }

        throw new TransferException(ExitCode.Refused, "The sender sent a batch of files that is none.");
    }

    public void Dispose()
    {
        if (_bytes.Length > 0)
        {
            ArrayPool<byte>.Shared.Return(_bytes);
            _bytes = [];
        }
    }
}
