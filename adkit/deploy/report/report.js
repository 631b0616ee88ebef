document.documentElement.classList.add('scripted');
const rows=[...document.querySelectorAll('[data-verdict]')],search=document.querySelector('#search');
let wanted='all';
function show(){const text=search.value.toLowerCase();rows.forEach(row=>{row.hidden=
!(wanted==='all'||row.dataset.verdict===wanted)||!row.dataset.name.toLowerCase().includes(text)})}
document.querySelectorAll('[data-filter]').forEach(button=>button.addEventListener('click',()=>{wanted=button.dataset.filter;
document.querySelectorAll('[data-filter]').forEach(other=>other.setAttribute('aria-pressed',other===button));show()}));
search.addEventListener('input',show);
document.querySelectorAll('th[data-sort]').forEach((head,i)=>head.addEventListener('click',()=>{const body=
head.closest('table').tBodies[0],up=head.getAttribute('aria-sort')==='descending';
const value=row=>{const text=row.cells[head.cellIndex].dataset.value??row.cells[head.cellIndex].textContent;
return isNaN(text)?text:Number(text)};
[...body.rows].sort((a,b)=>{const x=value(a),y=value(b);return (x>y?1:x<y?-1:0)*(up?1:-1)}).forEach(row=>body.append(row));
head.closest('tr').querySelectorAll('th').forEach(other=>other.removeAttribute('aria-sort'));
head.setAttribute('aria-sort',up?'ascending':'descending')}));
