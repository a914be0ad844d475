using System.Runtime.InteropServices;
using FileTransfer.Storage.Native;

namespace FileTransfer.Reporting;

/// <summary>
/// Standard output or error as a stream that fails when nobody reads it any more. The platform's own console stream swallows that, so that a
/// program at the head of a pipe would run on for nobody.
/// </summary>
internal sealed class OutputStream(int descriptor) : Stream
{
    private const int Interrupted = 4;
    private const int WouldBlock = 11;
    private const int BrokenPipe = 32;
    private const short WritableEvent = 4;
    private const short ErrorEvents = 8 | 16 | 32;
    private static readonly TimeSpan LookInterval = TimeSpan.FromMilliseconds(300);

    public override bool CanRead => false;

    public override bool CanSeek => false;

    public override bool CanWrite => true;

    public override long Length => throw new NotSupportedException();

    public override long Position
    {
        get => throw new NotSupportedException();
        set => throw new NotSupportedException();
    }

    /// <summary>Standard output.</summary>
    public static Stream OpenOutput() => Libc.IsSupported ? new OutputStream(1) : Console.OpenStandardOutput();

    /// <summary>Standard error.</summary>
    public static Stream OpenError() => Libc.IsSupported ? new OutputStream(2) : Console.OpenStandardError();

    /// <summary>Completes when nobody reads standard output any more, for a program that has nothing to write for long.</summary>
    public static async Task WaitUntilClosedAsync(CancellationToken cancellationToken)
    {
        using var timer = new PeriodicTimer(LookInterval);
        while (await timer.WaitForNextTickAsync(cancellationToken))
        {
            if (Libc.IsSupported && (Poll(1, 0, 0) & ErrorEvents) != 0)
            {
                return;
            }
        }
    }

    public override void Write(ReadOnlySpan<byte> buffer)
    {
        while (buffer.Length > 0)
        {
            var written = Libc.Write(descriptor, buffer, (nuint)buffer.Length);
            if (written >= 0)
            {
                buffer = buffer[(int)written..];
                continue;
            }

            switch (Marshal.GetLastPInvokeError())
            {
                case Interrupted:
                    break;
                case WouldBlock:
                    // Somebody set the other end of a terminal or a pipe so.
                    Poll(descriptor, WritableEvent, 1000);
                    break;
                case BrokenPipe:
                    throw new OutputClosedException();
                default:
                    throw new TransferException(ExitCode.LocalProblem, $"The output cannot be written: {Marshal.GetLastPInvokeErrorMessage()}.");
            }
        }
    }

    public override void Write(byte[] buffer, int offset, int count) => Write(buffer.AsSpan(offset, count));

    public override ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default)
    {
        cancellationToken.ThrowIfCancellationRequested();
        Write(buffer.Span);
        return default;
    }

    public override void Flush()
    {
    }

    public override Task FlushAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException();

    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

    public override void SetLength(long value) => throw new NotSupportedException();

    private static short Poll(int descriptor, short events, int milliseconds)
    {
        Span<byte> asked = stackalloc byte[8];
        MemoryMarshal.Write(asked, descriptor);
        MemoryMarshal.Write(asked[4..], events);
        return Libc.Poll(asked, 1, milliseconds) > 0 ? MemoryMarshal.Read<short>(asked[6..]) : (short)0;
    }
}
