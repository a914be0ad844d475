using System.Collections.Concurrent;
using Post.Sockets;

namespace FileTransfer.Sending;

/// <summary>
/// Bounds what is sent and not yet confirmed by the receiver's application, in bytes and in objects, and looks at every receipt.
/// </summary>
internal sealed class ConfirmationWindow(long maxBytes, int maxObjects)
{
    private readonly Lock _gate = new();
    private readonly ConcurrentDictionary<SentObject, bool> _underWay = new();
    private long _bytes;
    private int _objects;
    private TaskCompletionSource? _changed;
    private Receipt? _refused;

    /// <summary>Waits for room, and takes it.</summary>
    /// <exception cref="PostException">Something that was sent before had another end than delivery.</exception>
    public ValueTask EnterAsync(int bytes, CancellationToken cancellationToken) => WaitAsync(
        () =>
        {
            if (_objects >= maxObjects || (_bytes != 0 && _bytes + bytes > maxBytes))
            {
                return false;
            }

            _bytes += bytes;
            _objects++;
            return true;
        },
        cancellationToken);

    /// <summary>Gives room back when the object has its end.</summary>
    /// <param name="item">What was sent after <see cref="EnterAsync"/>.</param>
    /// <param name="bytes">The bytes given there.</param>
    /// <param name="onEnd">Told the end; the sender's memory is free then.</param>
    public void Watch(SentObject item, int bytes, Action<Receipt>? onEnd = null)
    {
        _underWay[item] = true;
        _ = WatchAsync(item, bytes, onEnd);
    }

    /// <summary>Waits until everything is confirmed.</summary>
    /// <exception cref="PostException">Something had another end than delivery.</exception>
    public ValueTask DrainAsync(CancellationToken cancellationToken) => WaitAsync(() => _objects == 0, cancellationToken);

    /// <summary>Takes back what is under way.</summary>
    public void Cancel()
    {
        foreach (var item in _underWay.Keys)
        {
            item.Cancel();
        }
    }

    private async ValueTask WaitAsync(Func<bool> isSo, CancellationToken cancellationToken)
    {
        while (true)
        {
            Task changed;
            lock (_gate)
            {
                _refused?.EnsureAcked();
                if (isSo())
                {
                    return;
                }

                _changed ??= new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
                changed = _changed.Task;
            }

            await changed.WaitAsync(cancellationToken);
        }
    }

    private async Task WatchAsync(SentObject item, int bytes, Action<Receipt>? onEnd)
    {
        var receipt = await item.Completion;
        _underWay.TryRemove(item, out _);
        onEnd?.Invoke(receipt);
        TaskCompletionSource? changed;
        lock (_gate)
        {
            _bytes -= bytes;
            _objects--;
            _refused ??= receipt.IsAcked ? null : receipt;
            changed = _changed;
            _changed = null;
        }

        changed?.TrySetResult();
    }
}
