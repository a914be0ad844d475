using System.Buffers;
using System.Security.Cryptography;
using FileTransfer.Protocol;

namespace FileTransfer.Storage;

/// <summary>A file while it arrives: grows under a temporary name, is checked against its hash, and then takes its own name.</summary>
internal sealed class IncomingFile : IDisposable
{
    private readonly string _part;
    private readonly string _note;
    private readonly string _target;
    private readonly FileStream _stream;
    private readonly Action _release;
    private readonly IncrementalHash _hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);

    public IncomingFile(FileEntry entry, string part, string note, string target, Action release)
    {
        Entry = entry;
        _part = part;
        _note = note;
        _target = target;
        _release = release;
        _stream = new FileStream(
            part,
            new FileStreamOptions
            {
                Mode = entry.Have > 0 ? FileMode.OpenOrCreate : FileMode.Create,
                Access = FileAccess.ReadWrite,
                Share = FileShare.Read,
                BufferSize = 0,
            });
        try
        {
            Resume();
        }
        catch
        {
            _stream.Dispose();
            throw;
        }
    }

    public FileEntry Entry { get; }

    /// <summary>Bytes that are here, with those of earlier runs.</summary>
    public long Position => _stream.Position;

    /// <summary>Adds the next bytes.</summary>
    /// <exception cref="TransferException">They are more than the file was said to have.</exception>
    public async ValueTask AppendAsync(ReadOnlySequence<byte> bytes, CancellationToken cancellationToken)
    {
        if (bytes.Length > Entry.Size - Position)
        {
            throw new TransferException(ExitCode.Refused, $"'{Entry.Path}' brings more bytes than was announced.");
        }

        foreach (var segment in bytes)
        {
            _hash.AppendData(segment.Span);
            await _stream.WriteAsync(segment, cancellationToken);
        }
    }

    /// <summary>Checks the file and gives it its name.</summary>
    /// <returns>False when it is not what was sent: it is then forgotten.</returns>
    public bool Complete(ReadOnlySpan<byte> hash)
    {
        if (Position != Entry.Size || !hash.SequenceEqual(_hash.GetHashAndReset()))
        {
            Forget();
            return false;
        }

        // Its bytes are on the disk before its name is: a machine that loses power leaves no file of the right name and wrong bytes.
        _stream.Flush(flushToDisk: true);
        _stream.Dispose();
        File.SetLastWriteTimeUtc(_part, DateTimeOffset.FromUnixTimeMilliseconds(Entry.Modified).UtcDateTime);
        File.Move(_part, _target, overwrite: true);
        File.Delete(_note);
        return true;
    }

    /// <summary>Drops what came.</summary>
    public void Forget()
    {
        _stream.Dispose();
        File.Delete(_part);
        File.Delete(_note);
    }

    /// <summary>Leaves what came for a later run.</summary>
    public void Dispose()
    {
        _stream.Dispose();
        _hash.Dispose();
        _release();
    }

    private void Resume()
    {
        if (_stream.Length < Entry.Have)
        {
            throw new TransferException(
                ExitCode.Refused, $"'{Entry.Path}' is to go on at byte {Entry.Have}, but only {_stream.Length} are here.");
        }

        _stream.SetLength(Entry.Have);
        var buffer = new byte[128 * 1024];
        while (_stream.Position < Entry.Have)
        {
            var read = _stream.Read(buffer);
            _hash.AppendData(buffer, 0, read);
        }
    }
}
