using System.Buffers;
using System.Security.Cryptography;
using FileTransfer.Protocol;
using FileTransfer.Storage;
using Post.Sockets;

namespace FileTransfer.Sending;

/// <summary>
/// Sends the files of one request. A manifest goes ahead at niceness 0, and is the antecedent of the first chunk of each of its files; each
/// chunk is the antecedent of the next. All travel in parallel, and yet the receiver gets every file in order, and none before its manifest.
/// </summary>
internal sealed class FileSender(Association association, SourceTree tree, uint request)
{
    private readonly ConfirmationWindow _window = new(TransferLimits.MaxUnconfirmed, TransferLimits.MaxUnconfirmedObjects);
    private long _files;
    private long _total;
    private long _sent;
    private long _confirmed;
    private long _failed;
    private Receipt? _refused;
    private SentObject? _manifest;

    /// <summary>Bytes that the receiver confirmed, of those announced so far.</summary>
    public SenderProgress Progress => new(Volatile.Read(ref _files), Volatile.Read(ref _total), Volatile.Read(ref _confirmed));

    /// <summary>What <see cref="MessageType.Done"/> must not overtake: the last manifest, which comes after all others. Everything else is
    /// confirmed by then.</summary>
    public IReadOnlyList<SentObject> Antecedents => _manifest is null ? [] : [_manifest];

    /// <summary>Sends the files, and waits until the receiver has confirmed all.</summary>
    /// <param name="files">Which, each with what the receiver has of it.</param>
    /// <param name="cancellationToken">Breaks off; the receiver keeps what came.</param>
    /// <exception cref="PostException">The association ended.</exception>
    public async Task<Done> SendAsync(IEnumerable<FileEntry> files, CancellationToken cancellationToken)
    {
        foreach (var batch in files.Chunk(TransferLimits.MaxManifestFiles))
        {
            var manifest = _manifest = await SendManifestAsync(batch, _manifest, cancellationToken);
            var number = (uint)_files;
            Volatile.Write(ref _files, _files + batch.Length);
            Volatile.Write(ref _total, _total + batch.Sum(file => file.Size - file.Have));
            foreach (var file in batch)
            {
                if (file.Have < file.Size)
                {
                    await SendFileAsync(number, file, manifest, cancellationToken);
                }

                number++;
            }
        }

        await _window.DrainAsync(cancellationToken);
        _refused?.EnsureAcked();
        return new Done(_files, _sent, _failed);
    }

    private ValueTask<SentObject> SendManifestAsync(FileEntry[] files, SentObject? previous, CancellationToken cancellationToken) =>
        association.SendAsync(
            System.Text.Json.JsonSerializer.SerializeToUtf8Bytes(new Manifest((uint)_files, files), ProtocolJson.Default.Manifest),
            new ObjectProperties
            {
                Niceness = TransferLimits.ControlNiceness,
                Antecedents = previous is null ? [] : [previous],
                Metadata = new MessageHeader { Type = MessageType.Manifest, Request = request }.ToBytes(),
            },
            cancellationToken);

    private async Task SendFileAsync(uint number, FileEntry file, SentObject manifest, CancellationToken cancellationToken)
    {
        var failure = await TrySendFileAsync(number, file, manifest, cancellationToken);
        if (failure is not null)
        {
            _failed++;
            await _window.EnterAsync(0, cancellationToken);
            var sent = await association.SendAsync(
                MessageType.FileFailed, request, new Failure(failure), ProtocolJson.Default.Failure, number, [manifest], cancellationToken);
            _ = ConfirmAsync(sent, null, 0);
        }
    }

    /// <summary>Null when it was sent whole; else why not.</summary>
    private async Task<string?> TrySendFileAsync(uint number, FileEntry file, SentObject previous, CancellationToken cancellationToken)
    {
        FileStream stream;
        try
        {
            stream = tree.Open(file.Path);
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            return exception.Message;
        }

        await using (stream)
        {
            using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
            var position = 0L;
            while (position < file.Size)
            {
                // The receiver has the bytes before Have; they are read for the hash only.
                var end = position < file.Have ? file.Have : file.Size;
                var size = (int)Math.Min(TransferLimits.ChunkSize, end - position);
                var buffer = ArrayPool<byte>.Shared.Rent(size);
                var read = await ReadAsync(stream, buffer.AsMemory(0, size), cancellationToken);
                hash.AppendData(buffer, 0, read);
                var skipped = position < file.Have;
                position += read;
                if (read < size || (position == file.Size && tree.Describe(file.Path) is var now && (now?.Size, now?.Modified) != (file.Size, file.Modified)))
                {
                    ArrayPool<byte>.Shared.Return(buffer);
                    return "It changed while it was sent; run again.";
                }

                if (skipped)
                {
                    ArrayPool<byte>.Shared.Return(buffer);
                    continue;
                }

                await _window.EnterAsync(size, cancellationToken);
                previous = await association.SendAsync(
                    buffer.AsMemory(0, size),
                    new ObjectProperties
                    {
                        Niceness = TransferLimits.BulkNiceness,
                        Antecedents = [previous],
                        Metadata = new MessageHeader
                        {
                            Type = MessageType.Chunk,
                            Request = request,
                            File = number,
                            Hash = position == file.Size ? hash.GetHashAndReset() : default,
                        }.ToBytes(),
                    },
                    cancellationToken);
                _sent += size;
                _ = ConfirmAsync(previous, buffer, size);
            }
        }

        return null;
    }

    private static async ValueTask<int> ReadAsync(FileStream stream, Memory<byte> buffer, CancellationToken cancellationToken)
    {
        try
        {
            return await stream.ReadAtLeastAsync(buffer, buffer.Length, throwOnEndOfStream: false, cancellationToken);
        }
        catch (IOException)
        {
            return 0;
        }
    }

    private async Task ConfirmAsync(SentObject item, byte[]? buffer, int size)
    {
        var receipt = await item.Completion;
        if (receipt.IsAcked && buffer is not null)
        {
            // Only then is it certain that nobody reads the memory any more.
            ArrayPool<byte>.Shared.Return(buffer);
        }

        if (receipt.IsAcked)
        {
            Interlocked.Add(ref _confirmed, size);
        }
        else
        {
            Interlocked.CompareExchange(ref _refused, receipt, null);
        }

        _window.Leave(size);
    }
}
