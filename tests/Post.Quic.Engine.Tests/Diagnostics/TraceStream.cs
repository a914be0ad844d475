namespace Post.Quic.Engine.Tests.Diagnostics;

/// <summary>A stream that keeps what was written after its disposal, and can be made to block or to fail.</summary>
internal sealed class TraceStream : MemoryStream
{
    public TaskCompletionSource? Blocked { get; init; }

    public bool Fails { get; set; }

    public int Writes { get; private set; }

    public bool IsDisposed { get; private set; }

    public override async ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default)
    {
        Writes++;
        if (Fails)
        {
            throw new IOException("disk full");
        }

        if (Blocked is not null)
        {
            await Blocked.Task;
        }

        await base.WriteAsync(buffer, cancellationToken);
    }

    protected override void Dispose(bool disposing)
    {
        IsDisposed = true;
        base.Dispose(disposing);
    }
}
