using System.Globalization;
using FileTransfer.Storage.Native;
using Microsoft.Win32.SafeHandles;

namespace FileTransfer.Storage.Directories;

/// <summary>When a file was last written, as file systems keep it: seconds since 1970 of any sign, and nanoseconds.</summary>
internal readonly record struct FileTime(long Seconds, int Nanoseconds)
{
    private const long FirstSecond = -62_135_596_800;
    private const long LastSecond = 253_402_300_799;

    /// <summary>Whether calendars have this time: the years 1 to 9999.</summary>
    public bool IsOrdinary => Seconds is >= FirstSecond and <= LastSecond;

    /// <summary>The nearest time that .NET knows.</summary>
    public DateTimeOffset ToDateTime() =>
        DateTimeOffset.FromUnixTimeSeconds(Math.Clamp(Seconds, FirstSecond, LastSecond)).AddTicks(IsOrdinary ? Nanoseconds / 100 : 0);

    public static FileTime Of(DateTime utc)
    {
        var ticks = utc.Ticks - DateTime.UnixEpoch.Ticks;
        var seconds = Math.DivRem(ticks, TimeSpan.TicksPerSecond, out var rest);
        return rest < 0
            ? new FileTime(seconds - 1, (int)((rest + TimeSpan.TicksPerSecond) * 100))
            : new FileTime(seconds, (int)(rest * 100));
    }

    /// <summary>Whether a file that was given this time on the disk at hand may be of that time: a file system may keep less of it.</summary>
    public bool IsKeptAs(FileTime local) =>
        Seconds == local.Seconds && (local.Nanoseconds == 0 || Nanoseconds / 100 == local.Nanoseconds / 100);

    /// <summary>Gives a file this time.</summary>
    public void SetOn(SafeFileHandle file)
    {
        if (Libc.IsSupported)
        {
            FileFaultException.ThrowIfFailed(Libc.SetTimes(file, [0, LinuxFlags.OmitTime, Seconds, Nanoseconds]));
        }
        else
        {
            File.SetLastWriteTimeUtc(file, ToDateTime().UtcDateTime);
        }
    }

    /// <summary>The time in UTC, which the letter Z says; what no calendar has, in seconds.</summary>
    public override string ToString() => IsOrdinary
        ? ToDateTime().ToString("yyyy-MM-dd HH:mm:ss'Z'", CultureInfo.InvariantCulture)
        : string.Create(CultureInfo.InvariantCulture, $"{Seconds} s since 1970");
}
