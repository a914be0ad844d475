using Post.Sockets;

namespace Post.Quic.Benchmarks.Engines;

/// <summary>One end that sends objects and takes those of the other.</summary>
internal abstract class ObjectPeer : IAsyncDisposable
{
    /// <summary>Completes when the connection is over; never fails.</summary>
    public abstract Task Ended { get; }

    /// <summary>Why it is over.</summary>
    public abstract Exception? Error { get; }

    /// <summary>Whether small objects with a lifetime travel as datagrams.</summary>
    public abstract bool HasDatagrams { get; }

    /// <summary>Whether the connection came out of an earlier one's session.</summary>
    public abstract bool IsResumed { get; }

    /// <summary>Sends an object; completes as soon as there is room for it.</summary>
    public abstract ValueTask SendAsync(
        ReadOnlyMemory<byte> bytes, ObjectProperties properties, CancellationToken cancellationToken);

    /// <summary>Sends what a stream holds as one object, numbered when this is called; completes when all of it is on its way.</summary>
    public abstract Task SendAsync(Stream source, ObjectProperties properties, CancellationToken cancellationToken);

    /// <summary>From now on, objects go to the handler. Small ones come one at a time, pieces of large ones may come in between.</summary>
    public abstract void Receive(ObjectHandler handler);

    /// <summary>Waits until everything that was sent has its end.</summary>
    /// <returns>How many did not reach the other application.</returns>
    public abstract Task<long> SettleAsync(CancellationToken cancellationToken);

    /// <summary>Waits for something that the connection is to bring: fails when the connection ends before that.</summary>
    public async Task UntilAsync(Task task, CancellationToken cancellationToken)
    {
        await Task.WhenAny(task, Ended).WaitAsync(cancellationToken);
        await (task.IsCompleted ? task : Task.FromException(EndedTooEarly()));
    }

    /// <summary>The connection ended while something was still to come.</summary>
    public WrongBytesException EndedTooEarly() => new($"The connection ended too early: {Error?.Message ?? "it was closed."}");

    public abstract ValueTask DisposeAsync();
}
