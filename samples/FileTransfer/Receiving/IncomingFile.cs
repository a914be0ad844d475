using System.Buffers;
using System.Buffers.Binary;
using System.Security.Cryptography;
using FileTransfer.Protocol;
using FileTransfer.Sources;
using FileTransfer.Storage.Directories;
using FileTransfer.Storage.Native;
using Microsoft.Win32.SafeHandles;

namespace FileTransfer.Receiving;

/// <summary>A large file while it arrives: grows in the state directory, and is checked against its hash.</summary>
internal sealed class IncomingFile : IDisposable
{
    // The disk begins to write while the network still brings more, so that the sync at the end finds little to do.
    private const long WriteBackInterval = 8 * 1024 * 1024;

    private readonly SafeFileHandle _file;
    private readonly StateDirectory _state;
    private readonly Action _release;
    private readonly IncrementalHash _hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
    private readonly Lock _gate = new();
    private long _position;
    private long _writtenBack;
    private bool _isTakenOver;
    private bool _isClosed;

    public IncomingFile(StateDirectory state, string path, FileEntry entry, long from, FileOwner owner, Action release)
    {
        (_state, Path, Entry, Owner, _release) = (state, path, entry, owner, release);
        _file = state.OpenPart(path, entry, from);
        _position = from;
        _writtenBack = from;
        if (!ContentHash.Append(_hash, _file, 0, from, CancellationToken.None))
        {
            _file.Dispose();
            throw new FileFaultException(FaultKind.DeviceFailed);
        }
    }

    /// <summary>Where it will lie.</summary>
    public string Path { get; }

    public FileEntry Entry { get; }

    public FileOwner Owner { get; }

    /// <summary>Adds the next bytes.</summary>
    /// <exception cref="TransferException">They are more than the file was said to have.</exception>
    public void Append(ReadOnlySequence<byte> bytes)
    {
        lock (_gate)
        {
            Check(bytes.Length);
            foreach (var segment in bytes)
            {
                RandomAccess.Write(_file, segment.Span, _position);
                _hash.AppendData(segment.Span);
                _position += segment.Length;
            }

            if (Libc.IsSupported && _position - _writtenBack >= WriteBackInterval)
            {
                // Only a hint: what it could not do is done by the sync.
                _ = Libc.BeginWriteBack(_file, _writtenBack, _position - _writtenBack, LinuxFlags.BeginWrite);
                _writtenBack = _position;
            }
        }
    }

    /// <summary>Adds a hole, whose length came as 8 bytes.</summary>
    /// <exception cref="TransferException">It is longer than the file was said to be.</exception>
    public long AppendHole(ReadOnlySequence<byte> bytes)
    {
        Span<byte> number = stackalloc byte[sizeof(long)];
        if (bytes.Length != number.Length)
        {
            throw new TransferException(ExitCode.Refused, "The sender sent a hole without a length.");
        }

        bytes.CopyTo(number);
        var length = BinaryPrimitives.ReadInt64BigEndian(number);
        lock (_gate)
        {
            Check(length is > 0 and <= TransferLimits.MaxHole ? length : long.MaxValue);
            RandomAccess.SetLength(_file, _position + length);
            ContentHash.AppendZeros(_hash, length);
            _position += length;
            _writtenBack = _position;
        }

        return length;
    }

    /// <summary>Whether it is whole and what was sent; it then has its time and its mode. Else it is forgotten.</summary>
    public bool Finish(ReadOnlySpan<byte> hash, UnixFileMode mode)
    {
        lock (_gate)
        {
            Check(0);
            if (_position != Entry.Size || !hash.SequenceEqual(_hash.GetHashAndReset()))
            {
                Close();
                _state.DeletePart(Path);
                return false;
            }

            if (!OperatingSystem.IsWindows())
            {
                File.SetUnixFileMode(_file, mode & _state.UmaskedMode);
            }

            Entry.Modified.SetOn(_file);
            if (!Libc.IsSupported)
            {
                RandomAccess.FlushToDisk(_file);
            }

            Close();
            return true;
        }
    }

    /// <summary>Drops what came.</summary>
    public void Forget()
    {
        lock (_gate)
        {
            if (!_isClosed)
            {
                Close();
                _state.DeletePart(Path);
            }
        }
    }

    /// <summary>Leaves it to another sender, as it is.</summary>
    public void GiveUp()
    {
        lock (_gate)
        {
            _isTakenOver = true;
            Close();
        }
    }

    /// <summary>Leaves what came for a later run.</summary>
    public void Dispose()
    {
        lock (_gate)
        {
            Close();
        }
    }

    private void Check(long more)
    {
        if (_isTakenOver || _isClosed)
        {
            throw new TransferException(ExitCode.LocalProblem, "another run has begun to send this file");
        }

        if (more > Entry.Size - _position)
        {
            throw new TransferException(ExitCode.Refused, "The sender brings more bytes of a file than it announced.");
        }
    }

    private void Close()
    {
        if (!_isClosed)
        {
            _isClosed = true;
            _file.Dispose();
            _hash.Dispose();
            _release();
        }
    }
}
