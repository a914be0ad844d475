using System.Buffers;
using System.Buffers.Binary;
using System.Security.Cryptography;
using FileTransfer.Protocol;
using FileTransfer.Sources;
using FileTransfer.Storage;
using FileTransfer.Storage.Directories;
using Microsoft.Win32.SafeHandles;
using Post.Sockets;

namespace FileTransfer.Sending;

/// <summary>
/// Sends files: small ones many in one object, large ones in chunks of which each is the antecedent of the next. All travel in parallel, and
/// yet the receiver gets every file in order.
/// </summary>
internal sealed class ContentSender(Association association, uint request, SendingRate limit, TransferProgress progress) : IDisposable
{
    private const string Changed = "it changed while it was sent; run again";

    private readonly ConfirmationWindow _window = new(TransferLimits.MaxUnconfirmed, TransferLimits.MaxUnconfirmedObjects);
    private readonly Dictionary<Mount, DirectoryCache> _directories = [];
    private Batch? _batch;
    private long _reading;
    private long _bytes;

    /// <summary>Files sent whole.</summary>
    public long Files { get; private set; }

    /// <summary>Their bytes that went over the network.</summary>
    public long Bytes => Volatile.Read(ref _bytes);

    /// <summary>Files that could not be sent.</summary>
    public long Failed { get; private set; }

    /// <summary>Bytes read without being sent.</summary>
    public long Reading => Volatile.Read(ref _reading);

    /// <summary>Sends a file, or gathers it with others.</summary>
    /// <exception cref="PostException">The association ended.</exception>
    public async ValueTask SendAsync(FoundEntry file, WantedFile wanted, CancellationToken cancellationToken)
    {
        var failure = file.Entry.Size <= TransferLimits.SmallFileSize && wanted.From == 0
            ? await SendSmallAsync(file, wanted.Number, cancellationToken)
            : await SendLargeAsync(file, wanted, cancellationToken);
        if (failure is not { } failed)
        {
            Files++;
            progress.EndFile();
            return;
        }

        Failed++;
        await _window.EnterAsync(0, cancellationToken);
        var header = new MessageHeader { Type = MessageType.FileFailed, Request = request, File = wanted.Number };
        _window.Watch(
            await association.SendAsync(header, new Failure(failed.Reason), ProtocolJson.Wire.Failure, failed.After, cancellationToken), 0);
    }

    /// <summary>Sends what was gathered.</summary>
    public async ValueTask FlushAsync(CancellationToken cancellationToken)
    {
        if (_batch is not { Count: > 0 } batch)
        {
            return;
        }

        _batch = null;
        await SendAsync(
            batch.Memory,
            new MessageHeader { Type = MessageType.Batch, Request = request },
            null,
            batch.ContentLength,
            batch.Dispose,
            cancellationToken);
    }

    /// <summary>Waits until the receiver has confirmed everything.</summary>
    public ValueTask DrainAsync(CancellationToken cancellationToken) => _window.DrainAsync(cancellationToken);

    /// <summary>Takes back what is under way.</summary>
    public void Cancel() => _window.Cancel();

    public void Dispose()
    {
        foreach (var cache in _directories.Values)
        {
            cache.Dispose();
        }

        _batch?.Dispose();
    }

    private async ValueTask<Shortfall?> SendSmallAsync(FoundEntry file, uint number, CancellationToken cancellationToken)
    {
        if (_batch?.IsFull == true)
        {
            await FlushAsync(cancellationToken);
        }

        _batch ??= new Batch();
        try
        {
            using var handle = Open(file);
            var size = (int)file.Entry.Size;
            var contents = _batch.Next(size);
            if (FindChange(file.Entry, handle) is { } changed)
            {
                return new Shortfall(changed, null);
            }

            for (var read = 0; read < size;)
            {
                var count = RandomAccess.Read(handle, contents[read..], read);
                if (count == 0)
                {
                    return new Shortfall(Changed, null);
                }

                read += count;
            }

            if (!IsStill(file.Entry, handle, () => SHA256.HashData(_batch.Next(size))))
            {
                return new Shortfall(Changed, null);
            }

            _batch.Add(number, size);
            return null;
        }
        catch (Exception exception) when (FileFaultException.IsOne(exception))
        {
            return new Shortfall(FileFaultException.Of(exception).Message, null);
        }
    }

    private async ValueTask<Shortfall?> SendLargeAsync(FoundEntry file, WantedFile wanted, CancellationToken cancellationToken)
    {
        SentObject? last = null;
        SafeFileHandle handle;
        try
        {
            handle = Open(file);
        }
        catch (Exception exception) when (FileFaultException.IsOne(exception))
        {
            return new Shortfall(FileFaultException.Of(exception).Message, null);
        }

        using (handle)
        using (var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256))
        {
            try
            {
                if (FindChange(file.Entry, handle) is { } changed)
                {
                    return new Shortfall(changed, null);
                }

                if (!HashFirst(handle, hash, wanted.From, cancellationToken))
                {
                    return new Shortfall(Changed, null);
                }

                var position = wanted.From;
                byte[]? ended = null;
                do
                {
                    var piece = NextPiece(handle, position, file.Entry.Size);
                    var header = new MessageHeader
                    {
                        Type = piece.IsHole ? MessageType.Hole : MessageType.Chunk,
                        Request = request,
                        File = wanted.Number,
                    };
                    var buffer = ArrayPool<byte>.Shared.Rent(piece.IsHole ? sizeof(long) : (int)piece.Length);
                    if (piece.IsHole)
                    {
                        BinaryPrimitives.WriteInt64BigEndian(buffer, piece.Length);
                        ContentHash.AppendZeros(hash, piece.Length);
                    }
                    else if (!Read(handle, buffer.AsSpan(0, (int)piece.Length), position))
                    {
                        ArrayPool<byte>.Shared.Return(buffer);
                        return new Shortfall(Changed, last);
                    }
                    else
                    {
                        hash.AppendData(buffer, 0, (int)piece.Length);
                    }

                    position += piece.Length;
                    if (position == file.Entry.Size)
                    {
                        ended = hash.GetHashAndReset();
                        if (!IsStill(file.Entry, handle, () => ended))
                        {
                            ArrayPool<byte>.Shared.Return(buffer);
                            return new Shortfall(Changed, last);
                        }
                    }

                    progress.Skip(piece.IsHole ? piece.Length : 0);
                    last = await SendAsync(
                        buffer.AsMemory(0, piece.IsHole ? sizeof(long) : (int)piece.Length),
                        header with { Hash = ended },
                        last,
                        piece.IsHole ? 0 : piece.Length,
                        () => ArrayPool<byte>.Shared.Return(buffer),
                        cancellationToken);
                }
                while (ended is null);
            }
            catch (Exception exception) when (FileFaultException.IsOne(exception))
            {
                return new Shortfall(FileFaultException.Of(exception).Message, last);
            }
        }

        return null;
    }

    private static (bool IsHole, long Length) NextPiece(SafeFileHandle handle, long position, long size)
    {
        var data = Holes.FindData(handle, position, size);
        return data > position
            ? (true, Math.Min(data - position, TransferLimits.MaxHole))
            : (false, Math.Min(Holes.FindHole(handle, position, size) - position, TransferLimits.ChunkSize));
    }

    private static bool Read(SafeFileHandle handle, Span<byte> buffer, long position)
    {
        while (buffer.Length > 0)
        {
            var read = RandomAccess.Read(handle, buffer, position);
            if (read == 0)
            {
                return false;
            }

            buffer = buffer[read..];
            position += read;
        }

        return true;
    }

    /// <summary>Null while the file is of the version that was listed, or has grown since.</summary>
    private static string? FindChange(FileEntry entry, SafeFileHandle handle)
    {
        var now = FileNode.Of(handle);
        return now.Size < entry.Size || (now.Size == entry.Size && now.Modified != entry.Modified)
            ? "it changed after it was listed; run again"
            : null;
    }

    /// <summary>
    /// Whether what was sent is what the file holds. A file that grew, as a log does, is read once more: only if its beginning is still as it
    /// was sent, that was one version of it.
    /// </summary>
    private static bool IsStill(FileEntry entry, SafeFileHandle handle, Func<byte[]> hash)
    {
        var now = FileNode.Of(handle);
        return now.Size == entry.Size
            ? now.Modified == entry.Modified
            : now.Size > entry.Size && ContentHash.Of(handle, entry.Size).AsSpan().SequenceEqual(hash());
    }

    /// <summary>Reads what the receiver has already, for the hash only.</summary>
    private bool HashFirst(SafeFileHandle handle, IncrementalHash hash, long count, CancellationToken cancellationToken)
    {
        for (var position = 0L; position < count;)
        {
            var (isHole, length) = NextPiece(handle, position, count);
            if (isHole)
            {
                ContentHash.AppendZeros(hash, length);
            }
            else if (!ContentHash.Append(hash, handle, position, position + length, cancellationToken))
            {
                return false;
            }

            position += length;
            Volatile.Write(ref _reading, _reading + length);
        }

        return true;
    }

    private SafeFileHandle Open(FoundEntry file)
    {
        if (!_directories.TryGetValue(file.Mount, out var directories))
        {
            directories = new DirectoryCache(file.Mount.Directory);
            _directories.Add(file.Mount, directories);
        }

        return directories.Get(RelativePath.ParentOf(file.LocalPath)).OpenRead(RelativePath.NameOf(file.LocalPath));
    }

    private async ValueTask<SentObject> SendAsync(
        ReadOnlyMemory<byte> bytes, MessageHeader header, SentObject? after, long contents, Action release, CancellationToken cancellationToken)
    {
        await limit.WaitAsync(contents, cancellationToken);
        await _window.EnterAsync(bytes.Length, cancellationToken);
        var sent = await association.SendAsync(
            bytes,
            new ObjectProperties
            {
                Niceness = TransferLimits.BulkNiceness,
                Antecedents = after is null ? [] : [after],
                Metadata = header.ToBytes(),
            },
            cancellationToken);
        _window.Watch(
            sent,
            bytes.Length,
            receipt =>
            {
                if (receipt.IsAcked)
                {
                    // Only then is it certain that nobody reads the memory any more.
                    release();
                    Interlocked.Add(ref _bytes, contents);
                    progress.Move(contents);
                }
            });
        return sent;
    }

    /// <summary>Why a file was not sent whole, and what was sent of it last.</summary>
    private readonly record struct Shortfall(string Reason, SentObject? After);
}
