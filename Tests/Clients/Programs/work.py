# What a program in Python does with memory: objects, text, threads, a child.
import hashlib
import json
import os
import threading

results = {}


def work(index):
    words = {}
    for i in range(60000):
        key = f"k{i * 7919 % 30011}"
        words[key] = words.get(key, "") + chr(97 + (i + index) % 26)
    text = json.dumps([{"id": i, "text": "x" * (i % 300), "more": list(range(i % 20))}
                       for i in range(20000)])
    back = json.loads(text)
    blocks = [bytes([i % 256]) * (1000 * (i % 400)) for i in range(400)]
    results[index] = (len(words), hashlib.sha256(text.encode()).hexdigest(),
                      sum(entry["id"] for entry in back), sum(map(len, blocks)))


threads = [threading.Thread(target=work, args=(i,)) for i in range(3)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
child = os.fork()
if child == 0:
    work(3)
    os._exit(0 if results[3][2] == 199990000 else 1)
print(os.waitpid(child, 0)[1])
for index in sorted(results):
    print(index, results[index])
