namespace Post.Sockets.Objects;

/// <summary>Where the bytes of an object come from when they do not lie in one piece of memory. Used by the pump only.</summary>
internal abstract class ObjectSource
{
    /// <summary>Bytes in all; null while unknown.</summary>
    public abstract long? Length { get; }

    /// <summary>Bytes of memory that it holds at most while it waits and is sent, whatever its length.</summary>
    public abstract long HeldBytes { get; }

    /// <summary>True when bytes can be had again that were taken already.</summary>
    public virtual bool CanGoBack => false;

    /// <summary>The offset in the object of the byte that <see cref="TryPeek"/> shows next.</summary>
    public abstract long Position { get; }

    /// <summary>Sees to it that <see cref="TryPeek"/> shows the bytes from an offset on. Not while a <see cref="WaitAsync"/> is pending.</summary>
    /// <exception cref="Exception">The source failed, or cannot go back.</exception>
    public abstract void MoveTo(long offset);

    /// <summary>Shows the next bytes, valid until <see cref="Advance"/>.</summary>
    /// <param name="limit">At most so many.</param>
    /// <param name="chunk">The bytes; may be empty together with <paramref name="isLast"/>.</param>
    /// <param name="isLast">Nothing follows them.</param>
    /// <returns>False when there are none now: see <see cref="WaitAsync"/>.</returns>
    /// <exception cref="Exception">The source failed.</exception>
    public abstract bool TryPeek(int limit, out ReadOnlyMemory<byte> chunk, out bool isLast);

    /// <summary>The bytes shown were taken.</summary>
    public abstract void Advance(int count);

    /// <summary>Waits until <see cref="TryPeek"/> has something to show.</summary>
    public virtual ValueTask WaitAsync() => ValueTask.CompletedTask;

    /// <summary>Makes a pending <see cref="WaitAsync"/> end soon, since nobody wants its result any more.</summary>
    public virtual void Interrupt()
    {
    }

    /// <summary>The object has its end; the source is not needed any more.</summary>
    public abstract void Release(Exception? error);
}
